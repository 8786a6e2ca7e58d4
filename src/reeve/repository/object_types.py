"""The declaration of `type.yaml`: fields, lookups, related lists, and how the type is collected (docs/types.md)."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from reeve.language.errors import InvalidRepositoryError, Position, Problem, nearest
from reeve.language.queries import compile_query
from reeve.language.query_reads import uses_whole
from reeve.language.syntax import Key, Keys, Shape
from reeve.language.templates import parse_template
from reeve.language.types import NAMED
from reeve.model import Call, Collect, Field, ObjectType, Provisional, Relation, Source, Template
from reeve.repository.metadata import position_of, read_keys

_RELATION_KEYS: Keys = {
    "type": Key(Shape.STRING, "The id of the type it leads to.", True),
    "description": Key(Shape.STRING, "What it leads to."),
    "foreignKey": Key(Shape.STRING, "On a related list: the child's field that holds this object's id."),
}

_CALL_KEYS: Keys = {
    "call": Key(
        Shape.STRING, "The API call, such as iam:ListUsers: the provider's name of a service, and its operation.", True
    ),
    "permissions": Key(Shape.STRINGS, "The permissions that the call needs; default: the call itself."),
    "with": Key(Shape.TEXTS, "The call's arguments: JMESPath by parameter."),
    "items": Key(Shape.STRING, "JMESPath of the list in an answer."),
    "when": Key(Shape.STRING, "JMESPath of whether the call is made."),
}

_SOURCE_KEYS: Keys = {
    **_CALL_KEYS,
    "call": Key(Shape.STRING, "The API call that lists objects; without it, `items` are of the parent."),
    "items": Key(Shape.STRING, "JMESPath of the objects in an answer.", True),
    "of": Key(Shape.STRING, "The id of a type, for each of whose objects the call is made; `_parent` is that object."),
    "forSuspects": Key(Shape.STRINGS, "Only for parents INCOMPLIANT under a policy that reads one of these fields."),
    "where": Key(Shape.STRING, "JMESPath over an item of whether it is taken; it sees the item, `_parent` and the account."),
    "repeated": Key(Shape.BOOLEAN, "Whether lists of several regions name the same objects: each is taken once, by its id."),
}

_OBJECT_CALL_KEYS: Keys = {
    **_CALL_KEYS,
    "match": Key(Shape.TEXTS, "Which of the items is about this object: JMESPath over an item, to JMESPath over the object."),
    "absent": Key(Shape.STRINGS, "Error codes that mean that nothing is configured; `code: words` looks at the message too."),
}

COLLECT_KEYS: Keys = {
    "scope": Key(Shape.CHOICE, "Whether objects are read in each region or once.", True, choices=("global", "regional")),
    "region": Key(Shape.STRING, "JMESPath of the region that an object is in; default: where it was listed."),
    "sources": Key(Shape.RECORDS, "The calls that list objects.", True, keys=_SOURCE_KEYS),
    "calls": Key(Shape.TABLE, "The calls for each object, by a name that fields use.", keys=_OBJECT_CALL_KEYS),
    "gone": Key(Shape.STRINGS, "Error codes that mean that the object is gone."),
    "optional": Key(
        Shape.STRINGS,
        "Members that answers may lack, and mean something by it: names joined by dots, of an item or behind a call's name.",
    ),
    "provisional": Key(
        Shape.MAPPING,
        "A call that gives fields with a hint provisional values.",
        keys={
            "call": Key(Shape.STRING, "The name of one of `calls`.", True),
            "item": Key(
                Shape.STRING,
                "JMESPath `{Member: column, …}` that makes of one of its items what a source would list, as far as it can.",
                True,
            ),
            "madeAt": Key(Shape.STRING, "JMESPath of when a listed object was made.", True),
        },
    ),
}
"""How a type is collected; docs/types.md explains it."""

TYPE_KEYS: Keys = {
    "name": Key(Shape.STRING, "What objects of the type are called.", True),
    "description": Key(Shape.STRING, "What the type is."),
    "idField": Key(Shape.STRING, "The field that identifies an object.", True),
    "nameField": Key(Shape.STRING, "The field that a person knows an object by."),
    "disappearanceField": Key(Shape.STRING, "The field that says when an object was found gone."),
    "tagsField": Key(Shape.STRING, "The field with the tags, a JSON object as text."),
    "service": Key(Shape.STRING, "The provider's service that objects belong to, such as ec2."),
    "arn": Key(Shape.STRING, "A template of an object's full name: the provider's own, or built from what is known."),
    "console": Key(Shape.STRING, "A template of the address of an object's page in the console, https://{host}/…"),
    "summary": Key(Shape.STRING, "A template of a short line that says which one of its like an object is."),
    "collect": Key(Shape.MAPPING, "How objects are collected.", keys=COLLECT_KEYS),
    "fields": Key(
        Shape.TABLE,
        "The fields.",
        True,
        keys={
            "type": Key(Shape.CHOICE, "The field's type.", True, choices=tuple(NAMED)),
            "description": Key(Shape.STRING, "What it holds."),
            "from": Key(Shape.STRING, "JMESPath over what was read of the object."),
            "hint": Key(Shape.STRING, "JMESPath of a provisional value."),
        },
    ),
    "lookups": Key(Shape.TABLE, "Fields that lead to another object.", keys=_RELATION_KEYS),
    "relatedLists": Key(Shape.TABLE, "Lists of child objects.", keys=_RELATION_KEYS),
}


def read_type(path: str, content: bytes) -> ObjectType:
    """Read `type.yaml`; the type's id is the name of its folder.

    Raises:
        InvalidRepositoryError: the file has errors; all of them are named.
    """
    values = read_keys(path, content, TYPE_KEYS, "a type")
    relations = {
        key: {
            name: Relation(name, entry["type"], entry.get("description", ""), entry.get("foreignKey"))
            for name, entry in values.get(key, {}).items()
            if "type" in entry
        }
        for key in ("lookups", "relatedLists")
    }
    fields = {
        name: Field(name, entry["type"], entry.get("description", ""), entry.get("from"), entry.get("hint"))
        for name, entry in values["fields"].items()
        if "type" in entry
    }
    texts = [text for field in fields.values() for text in (field.source, field.hint) if text]
    templates, problems = _templates(path, content, values)
    if problems := [*_expression_problems(path, content, texts, naming=True), *problems]:
        raise InvalidRepositoryError(problems)
    return ObjectType(
        id=path.split("/")[-2],
        name=values["name"],
        description=values.get("description", ""),
        fields=fields,
        lookups=relations["lookups"],
        related_lists=relations["relatedLists"],
        id_field=values["idField"],
        name_field=values.get("nameField", values["idField"]),
        disappearance_field=values.get("disappearanceField"),
        tags_field=values.get("tagsField"),
        collect=_collect(path, content, values["collect"]) if "collect" in values else None,
        service=values.get("service", ""),
        arn=templates.get("arn"),
        console=templates.get("console"),
        summary=templates.get("summary"),
    )


def _templates(path: str, content: bytes, values: Mapping[str, Any]) -> tuple[dict[str, Template], list[Problem]]:
    """Return the templates by key, and what is no template."""
    found: dict[str, Template] = {}
    problems: list[Problem] = []
    for key in ("arn", "console", "summary"):
        if key in values:
            try:
                found[key] = parse_template(values[key])
            except ValueError as error:
                problems.append(Problem(Position(path, *position_of(path, content, values[key])), str(error), "bad-template"))
    return found, problems


def _check(path: str, content: bytes, values: Mapping[str, Any]) -> None:
    """Refuse expressions that are not JMESPath, and a provisional call that is not declared."""
    calls: Mapping[str, Any] = values.get("calls", {})
    provisional: Mapping[str, str] = values.get("provisional", {})
    naming: list[str] = [values[key] for key in ("region",) if key in values]
    texts = [provisional[key] for key in ("item", "madeAt") if key in provisional]
    for entry in (*values["sources"], *calls.values()):
        texts += [*(entry[key] for key in ("items", "where") if key in entry), *entry.get("match", {})]
        naming += [*(entry[key] for key in ("when",) if key in entry), *entry.get("with", {}).values()]
        naming += entry.get("match", {}).values()
    problems = [*_expression_problems(path, content, texts), *_expression_problems(path, content, naming, naming=True)]
    call = provisional.get("call")
    if call is not None and call not in calls:
        message = f"there is no call {call!r} in calls{nearest(call, calls)}"
        problems.append(Problem(Position(path, *position_of(path, content, call)), message, "invalid-value"))
    if problems:
        raise InvalidRepositoryError(problems)


def _expression_problems(path: str, content: bytes, texts: Iterable[str], naming: bool = False) -> list[Problem]:
    """Return what is wrong with expressions; those over all that is known of an object are to be `naming` what they read."""
    problems: list[Problem] = []
    for text in texts:
        message = None
        try:
            if selects_from_truth(compile_query(text, more=True).parsed):
                message = "`!x.y` and `!x[?…]` select from the truth value `!x`, which gives null: write `!(x.y)`, `!(x[?…])`"
            elif naming and uses_whole(text):
                message = "it uses all that is known of the object: name the members that it rests on, as some may be unread"
        except ValueError as error:
            message = str(error)
        if message is not None:
            problems.append(Problem(Position(path, *position_of(path, content, text)), message, "bad-jmespath"))
    return problems


_SELECTING = ("subexpression", "index_expression", "projection", "value_projection", "filter_projection", "flatten")


def selects_from_truth(node: Any) -> bool:
    """Return whether something in a parsed JMESPath expression is selected from a negation or comparison: always null.

    `!` binds tighter than a dot, a filter and a flattening, so that `!x[?y]` is `(!x)[?y]`, whatever it looks like.
    """
    if not isinstance(node, Mapping):
        return False
    children = cast("list[Any]", cast("Mapping[str, Any]", node).get("children", []))
    first = children[0] if children else None
    if node["type"] in _SELECTING and isinstance(first, Mapping) and first["type"] in ("not_expression", "comparator"):
        return True
    return any(selects_from_truth(child) for child in children)


def _collect(path: str, content: bytes, values: Mapping[str, Any]) -> Collect:
    sources = (
        Source(
            entry["items"],
            _call(path, content, entry) if "call" in entry else None,
            entry.get("of"),
            entry.get("when"),
            entry.get("forSuspects", ()),
            entry.get("where"),
            entry.get("repeated", False),
        )
        for entry in values["sources"]
    )
    provisional = values.get("provisional")
    _check(path, content, values)
    return Collect(
        values["scope"] == "regional",
        tuple(sources),
        values.get("region"),
        {name: _call(path, content, entry) for name, entry in values.get("calls", {}).items()},
        values.get("gone", ()),
        Provisional(provisional["call"], provisional["item"], provisional["madeAt"]) if provisional else None,
        values.get("optional", ()),
    )


def _call(path: str, content: bytes, entry: Mapping[str, Any]) -> Call:
    service, colon, operation = entry["call"].partition(":")
    if not colon or not service or not operation:
        line, column = position_of(path, content, entry["call"])
        message = f"{entry['call']!r} is no call; expected service:Operation, such as iam:ListUsers"
        raise InvalidRepositoryError([Problem(Position(path, line, column), message, "invalid-value")])
    return Call(
        service,
        operation,
        entry.get("permissions", (entry["call"],)),
        entry.get("with", {}),
        entry.get("when"),
        entry.get("items"),
        next(iter(entry["match"].items()), None) if "match" in entry else None,
        entry.get("absent", ()),
    )
