"""The operations of the policy language, by their names in YAML. A new one is a class in this folder, named here."""

from typing import Any

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
from reeve.language.operations.networks import AdmitsInternet, CidrsCover
from reeve.language.operations.related import RelatedList
from reeve.language.operations.search import (
    CollectionContains,
    ContainsSeveral,
    LegacyContains,
    LegacyEndsWith,
    LegacyStartsWith,
    RegexMatches,
    Search,
)
from reeve.language.operations.tags import Tag
from reeve.language.operations.testing import Debug, NullConstant, RuntimeFailure, UnitTest

CLASSES: tuple[type[Any], ...] = (
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

LEGACY_CLASSES: tuple[type[Any], ...] = (LegacyContains, LegacyStartsWith, LegacyEndsWith)

OPERATIONS: dict[str, type[Any]] = {name: found for found in (*LEGACY_CLASSES, *CLASSES) for name in found.NAMES}
"""An operation's class by its name; of CONTAINS, STARTS_WITH and ENDS_WITH the current dialect's."""

LEGACY: dict[str, type[Any]] = {name: found for found in LEGACY_CLASSES for name in found.NAMES}
"""The legacy dialect's classes of the names that both dialects have, and of those that only it has."""
