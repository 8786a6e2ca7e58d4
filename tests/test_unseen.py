"""What could not be listed: the related lists and lookups that lead there are not collected, and no others."""

from datetime import UTC, datetime

import pytest

from reeve.collect.unseen import Parent, Unseen
from reeve.inventory.records import Record
from reeve.model import Collect, Field, ObjectType, Relation

NOW = datetime(2026, 1, 31, tzinfo=UTC)
COLLECT = Collect(regional=True, sources=())
GROUP = ObjectType(
    "group",
    "Group",
    fields={name: Field(name, "Bytes") for name in ("id", "netId")},
    lookups={"net": Relation("net", "net", foreign_key="netId")},
    related_lists={"rules": Relation("rules", "rule", foreign_key="groupId")},
    id_field="id",
    collect=COLLECT,
)
FIELDS = {"id": "g1", "netId": "n1"}
PARENT = Parent("net", "n9", "here", {})


def rule(**missing):
    return Record({"id": "r1", "groupId": None, "port": None}, "1", "here", None, NOW, "test", missing)


CASES = {
    "nothing failed": (lambda unseen: None, {}),
    "the rules of the region": (lambda unseen: unseen.in_region("rule", "here", "denied"), {"rules": "denied"}),
    "the rules of another region": (lambda unseen: unseen.in_region("rule", "there", "denied"), {}),
    "the rules of this parent": (
        lambda unseen: unseen.below("rule", Parent("group", "g1", "here", {}), "denied"),
        {"rules": "denied"},
    ),
    "the rules of another parent": (lambda unseen: unseen.below("rule", Parent("group", "g2", "here", {}), "denied"), {}),
    "the networks of some region": (lambda unseen: unseen.in_region("net", "there", "denied"), {"net": "denied"}),
    "the networks of some parent": (lambda unseen: unseen.below("net", PARENT, "denied"), {"net": "denied"}),
    "whose a rule is": (lambda unseen: unseen.of("rule", rule(groupId="cut off")), {"rules": "cut off"}),
    "another field of a rule": (lambda unseen: unseen.of("rule", rule(port="cut off")), {}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_leads_to_what_was_not_seen_is_not_collected(name):
    fails, expected = CASES[name]
    unseen = Unseen()
    fails(unseen)
    record = unseen.marked(GROUP, Record(FIELDS, "1", "here", None, NOW, "test", {}), {"net": {"n2"}})
    assert record.not_collected == expected


def test_a_lookup_that_leads_somewhere_is_collected_whatever_else_failed():
    unseen = Unseen()
    unseen.in_region("net", None, "denied")
    assert not unseen.marked(GROUP, Record(FIELDS, "1", "here", None, NOW, "test", {}), {"net": {"n1"}}).not_collected
