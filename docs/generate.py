"""Writes what is generated in docs/: the reference of the operations, and the report's schema. Run by `make docs`."""

import json
from collections.abc import Iterator
from pathlib import Path

from reeve.language.kinds import FORMS
from reeve.language.reference import language
from reeve.language.syntax import Keys
from reeve.language.types import NAMED
from reeve.repository.object_types import TYPE_KEYS


def report_schema() -> str:
    """Return the JSON Schema of the JSON report."""
    from reeve.report.formats.json import json_schema

    return json.dumps(json_schema(), indent=2) + "\n"


TYPES_HEAD = """# Types: what objects are, and how they are collected

Generated from the loader's declarations by `make docs`. A type is one file, `types/<id>/type.yaml`. A new one needs no code:
one engine runs all declarations, makes each distinct call once, reads regional lists in every enabled region, and makes only
the calls whose fields the selected policies read. `reeve permissions` prints the IAM actions of the same declarations.

```yaml
name: AWS KMS Key
idField: id
disappearanceField: disappearanceTime
service: kms
arn: "{id}"
console: "https://{host}/kms/home?region={region}#/kms/keys/{keyId}"
collect:
  scope: regional
  sources:
    - {call: kms:ListKeys, with: {Limit: "`1000`"}, items: "Keys[]"}
  calls:
    key: {call: kms:DescribeKey, with: {KeyId: KeyId}}
    rotation: {call: kms:GetKeyRotationStatus, with: {KeyId: KeyId}, when: "key.KeyMetadata.KeyManager == 'CUSTOMER'"}
  gone: [NotFoundException]
fields:
  id: {type: Bytes, from: KeyArn, description: The key's ARN.}
  keyId: {type: Bytes, from: KeyId, description: The key's id.}
  rotationEnabled: {type: Boolean, from: rotation.KeyRotationEnabled, description: Whether the key is rotated.}
  disappearanceTime: {type: DateTime, description: When the key was found gone.}
```

Expressions are JMESPath over plain JSON (instants are ISO 8601 texts). They see the item of the list, the answer of each call
by its name, and `_account`, `_partition`, `_region`, `_parent` (the fields of the object that a source is `of`) and `_item` (an
item that is no object). `split(separator, text)` is added to JMESPath's functions. A call that is refused leaves the fields
that are picked from it *not collected*, with the action that is missing; null is a fact. A list that is refused leaves the
related lists and lookups that lead to it *not collected* for the objects of that region, or for that parent. So do an account
that is not known, a parent's field that is not, and, for an object that only `provisional`'s report names, the members that
its `item` doesn't make: what is picked from them is *not collected*, and an object whose id is picked from them is left out.
A `region` is asked as botocore's endpoint rules resolve it; each call is bounded in time, tries and size (decision 0014).

Every member that an expression reads must be in the answer: one that is missing is no fact, but *not collected*, and an error
with its place. What an answer may lack, and means something by lacking it, `optional` names: `[Tags, Entries.PortRange]` of an
item, `[versioning.Status]` behind a call's name. An expression's own default (`not_null(Routes, ...)`) doesn't make it so.

An object's **place** is its account, its region (where its list was read, or what `region` says; `global` where the API has
none) and its ARN; account and `idField` together tell it from every other of its type. `arn`, `console` and `summary` are
templates: `{name}` stands for a field, or for the place's `account`, `region` and `partition`, whatever fields are called; in
`console` and `summary` also for `arn`, in `console` for `host`, the console's host in the partition. `{{` and `}}` are braces.
What is null, empty or not collected leaves the whole without a value. `console` percent-encodes every value. The ARN is made
while collecting, so its fields are always read: pick them from the item of the list, which costs no call. Where the provider
gives an object none, it is built: in the documented form (`arn:{partition}:ec2:{region}:{account}:volume/{id}`), or, for a part
of something, as that thing's ARN, a `#`, which no ARN of AWS's own has there, and a path of ours (`{userId}#access-key/{id}`).
A console that has no page for an object is opened at its parent's, or its service's. `reeve validate` warns of a type that is
collected and has no `arn`. Names of fields don't begin with an underscore: such are the columns that every table has.

All of a declaration is checked when it is loaded: fields and relations against the types; calls, parameters, expressions and
error codes against botocore's service models, as far as they say. Only the calls that `collect/aws/reading_calls.txt` lists may
be declared: they read, and give no secret; `permissions` must be the actions that the call needs.
"""


def types() -> str:
    """Return the reference of `type.yaml`, as Markdown."""
    parts = [TYPES_HEAD, *_keys("", TYPE_KEYS), *_field_types()]
    return "\n".join(parts) + "\n"


FIELD_TYPES_HEAD = """## Types of fields

What a value of each is in test data, and in a snapshot's Parquet: the column that `reeve collect` writes, and those of tables
that others write, as DuckDB names them. Logic reads a Duration or Attributes out of a text; no field is one.

| type | in test data | written as | read from |
|---|---|---|---|"""


def _field_types() -> Iterator[str]:
    yield FIELD_TYPES_HEAD
    for name, of in NAMED.items():
        form = FORMS[of.kind]
        yield f"| `{name}` | {form.json} | `{form.stored}` | {', '.join(f'`{column}`' for column in form.duckdb)} |"


def _keys(above: str, keys: Keys) -> Iterator[str]:
    yield f"## `{above or 'type.yaml'}`\n\n| key | what | |\n|---|---|---|"
    inner: list[tuple[str, Keys]] = []
    for name, key in keys.items():
        choices = f" ({', '.join(f'`{choice}`' for choice in key.choices)})" if key.choices and len(key.choices) < 6 else ""
        yield f"| `{name}`{'!' if key.required else ''} | {key.shape}{choices} | {key.description} |"
        if key.keys:
            inner.append((f"{above}.{name}" if above else name, key.keys))
    yield ""
    for name, below in inner:
        yield from _keys(name, below)


GENERATED = {"language.md": language, "report.schema.json": report_schema, "types.md": types}
"""The generated files of docs/, each with the function that gives its content."""


def main() -> None:
    """Write the generated files."""
    directory = Path(__file__).parent
    for name, content in GENERATED.items():
        (directory / name).write_text(content(), "utf-8")


if __name__ == "__main__":
    main()
