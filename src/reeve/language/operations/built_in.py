"""The operations of the policy language: a new one is a class in this folder, named here."""

from reeve.language.operations.aws_log_filter import AwsLogFilterMatches
from reeve.language.operations.aws_policy import AwsPolicyAllows, AwsPolicyDenies, AwsPolicyGrants
from reeve.language.operations.aws_trail import AwsTrailRecords
from reeve.language.operations.boolean import And, Not, Or
from reeve.language.operations.comparison import Between, Empty, Equal, Ordering
from reeve.language.operations.constants import (
    BooleanConstant,
    BytesConstant,
    Collection,
    DateTimeConstant,
    DurationConstant,
    ItemsConstant,
    JsonConstant,
    NumberConstant,
    TextConstant,
)
from reeve.language.operations.conversions import (
    BooleanFrom,
    CollectionFrom,
    CollectionSize,
    DateTimeFrom,
    DurationFrom,
    ItemsFrom,
)
from reeve.language.operations.dates import Days, Today
from reeve.language.operations.documents import AttributesFrom, AttributeValue, JsonFrom, JsonQuery
from reeve.language.operations.elapsed import Elapsed
from reeve.language.operations.fields import EmptyLookup, Extract, Field, IsDisappeared
from reeve.language.operations.gcp_logging import GcpLoggingQueryMatch
from reeve.language.operations.legacy_search import LegacyContains, LegacyEndsWith, LegacyStartsWith
from reeve.language.operations.networks import AdmitsInternet, CidrsCover
from reeve.language.operations.registry import Operations
from reeve.language.operations.related import RelatedList
from reeve.language.operations.search import (
    CollectionContains,
    ContainsSeveral,
    RegexMatches,
    Search,
)
from reeve.language.operations.tags import Tag
from reeve.language.operations.testing import Debug, NullConstant, RuntimeFailure, UnitTest

_CLASSES = (
    *(Field, Extract, EmptyLookup, IsDisappeared),
    *(TextConstant, BytesConstant, NumberConstant, BooleanConstant, ItemsConstant, Collection),
    *(DateTimeConstant, DurationConstant, JsonConstant),
    *(And, Or, Not, Equal, Empty, Ordering, Between),
    *(Search, ContainsSeveral, CollectionContains, RegexMatches, Today, Days, Elapsed),
    *(BooleanFrom, DateTimeFrom, DurationFrom, ItemsFrom, CollectionFrom, CollectionSize),
    *(JsonFrom, JsonQuery, AttributesFrom, AttributeValue, Tag, RelatedList),
    *(AwsPolicyAllows, AwsPolicyGrants, AwsPolicyDenies, AwsLogFilterMatches, AwsTrailRecords),
    *(AdmitsInternet, CidrsCover, GcpLoggingQueryMatch),
    *(Debug, UnitTest, NullConstant, RuntimeFailure),
)

BUILT_IN = Operations(_CLASSES, legacy=(LegacyContains, LegacyStartsWith, LegacyEndsWith))
