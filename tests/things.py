"""A small repository of six policies over one type, and a snapshot of three things: a good one, a bad one, one not known."""

from datetime import UTC, datetime, timedelta

from reeve.inventory.directory import writing
from reeve.inventory.manifest import Part
from reeve.inventory.records import Record
from reeve.inventory.snapshot import write_snapshot
from reeve.repository.repository import Repository

ACCOUNT = "123456789012"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
THING = """
name: Thing
idField: id
nameField: name
disappearanceField: goneAt
fields:
  id: {type: Bytes}
  name: {type: Text}
  open: {type: Boolean}
  size: {type: Number}
  madeAt: {type: DateTime}
  document: {type: Json}
  tags: {type: Set of Text}
  ownerId: {type: Bytes}
  goneAt: {type: DateTime}
lookups:
  owner: {type: t.Owner, foreignKey: ownerId}
relatedLists:
  parts: {type: t.Part, foreignKey: thingId}
"""
OWNER = "name: Owner\nidField: id\nfields: {id: {type: Bytes}, good: {type: Boolean}}\n"
PART = "name: Part\nidField: id\nfields: {id: {type: Bytes}, thingId: {type: Bytes}, open: {type: Boolean}}\n"
CHECKS = {
    "open": "FIELD: {path: open, undeterminedIf: {isEmpty: Not known.}}",
    "old": "IS_BEYOND_LAST_DAYS: {arg: {FIELD: {path: madeAt, undeterminedIf: {isEmpty: Not known.}}}, offsetDays: 30}",
    "large": "GREATER_THAN: {left: {FIELD: {path: size, undeterminedIf: {isEmpty: Not known.}}}, right: {NUMBER: 10}}",
    "document": """IS_EQUAL: {left: {JSON_QUERY_TEXT: {arg: {FIELD: {path: document}}, expression: a.b, undeterminedIf:
      {resultTypeMismatch: No text., evaluationError: No JSON.}}}, right: {TEXT: bad}}""",
    "owner": "NOT: {arg: {FIELD: {path: owner.good, undeterminedIf: {isEmpty: Not known.}}}}",
    "parts": "RELATED_LIST_HAS: {status: INCOMPLIANT, relationshipName: parts}",
}
LIST = """
relatedLists:
  - relationshipName: parts
    conditions: [{status: INCOMPLIANT, currentStateMessage: Open., check: {FIELD: {path: open}}}]
    otherwise: {status: COMPLIANT, currentStateMessage: Closed.}
"""


def record(fields, source, missing, account=ACCOUNT):
    return Record(fields, account, "here", f"arn:t:{fields['id']}", NOW, source, missing)


def part(account=ACCOUNT, at=NOW):
    return Part("t", account, None, "t", at, at, {"t:List": 1}, (), ("a note",))


def records(account=ACCOUNT):
    common = {"size": 1.0, "madeAt": (NOW - timedelta(days=1)).isoformat(), "tags": ["x"], "document": {"a": {"b": "fine"}}}
    bad = {
        **common,
        "size": 99.0,
        "open": True,
        "ownerId": "o2",
        "document": {"a": {"b": "bad"}},
        "madeAt": "2020-01-01T00:00:00Z",
    }
    good = {**common, "open": False, "ownerId": "o1"}
    return {
        "t.Thing": [
            record({"id": "t1", "name": "good", **good}, "t:List", {}, account),
            record({"id": "t2", "name": "bad", **bad}, "t:List", {}, account),
            record(
                {"id": "t3", "name": "unknown", **good, "open": None},
                "t:List",
                {"open": "refused", "parts": "refused"},
                account,
            ),
        ],
        "t.Owner": [
            record({"id": "o1", "good": True}, "t:Owners", {}, account),
            record({"id": "o2", "good": False}, "t:Owners", {}, account),
        ],
        "t.Part": [
            record({"id": "p1", "thingId": "t1", "open": False}, "t:Parts", {}, account),
            record({"id": "p2", "thingId": "t2", "open": True}, "t:Parts", {}, account),
        ],
    }


def make(root):
    """Make `repo` and `snapshot` in a directory, and return it."""
    for type_id, text in {"t.Thing": THING, "t.Owner": OWNER, "t.Part": PART}.items():
        (root / "repo/types" / type_id).mkdir(parents=True)
        (root / "repo/types" / type_id / "type.yaml").write_text(text)
    for name, check in CHECKS.items():
        place = root / "repo/ce" / name
        place.mkdir(parents=True)
        (place / "policy.yaml").write_text(
            f"names: {{full: {name}, contextual: {name}}}\ndescription: A policy.\ntype: COMPLIANCE_POLICY\n"
        )
        logic = f"inputType: t.Thing\nconditions:\n  - status: INCOMPLIANT\n    currentStateMessage: Bad.\n    check:\n      {check}\n"
        logic += "otherwise: {status: COMPLIANT, currentStateMessage: Fine.}\n" + (LIST if name == "parts" else "")
        (place / "prod.logic.yaml").write_text(logic)
    write(root)
    return root


def write(root, account=ACCOUNT, at=NOW, keep_others=False, patience=0, left_out=()):
    """Write an account's part of the snapshot in a directory that was made; return its manifest."""
    repository = Repository.open(root / "repo")
    found = [(repository.object_type(name), some) for name, some in records(account).items() if name not in left_out]
    with writing(root / "snapshot", patience):
        return write_snapshot(root / "snapshot", [(part(account, at), found)], keep_others)
