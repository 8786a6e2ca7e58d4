"""An example of every operation for the reference: its YAML, an object, and what comes of it. A test runs all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reeve.language.expressions import read_expression
from reeve.language.operations.base import Expression
from reeve.language.scopes import ExtractSource, Scope
from reeve.language.source import read_yaml
from reeve.language.syntax import FileReader
from reeve.model import ObjectType

NOW = "2026-01-31T12:00:00Z"
"""When the examples' objects are judged."""


@dataclass(frozen=True, slots=True)
class Example:
    """An operation in flow YAML, an object it is evaluated on, and the value it gives."""

    yaml: str
    row: Mapping[str, Any]
    value: Any


_INVALID = "undeterminedIf: {invalidFormat: No such format.}"
_JSON = "JSON_FROM: {arg: {FIELD: {path: a}}, undeterminedIf: {isInvalid: Not JSON.}}"
_QUERY = "undeterminedIf: {resultTypeMismatch: Another type., evaluationError: It failed.}"
_ATTRIBUTES = "ATTRIBUTES_FROM: {arg: {FIELD: {path: a}}}"
_A = "arg: {FIELD: {path: a}}"
_SIDES = "left: {FIELD: {path: a}}, right: {NUMBER: 5}"

EXAMPLES: Mapping[str, Example] = {
    "FIELD": Example("FIELD: {path: owner.name}", {"owner": {"name": "Ann"}}, "Ann"),
    "EXTRACT": Example("EXTRACT: name", {"name": "Ann"}, "Ann"),
    "IS_EMPTY_LOOKUP": Example("IS_EMPTY_LOOKUP: owner", {"owner": None}, True),
    "NOT_EMPTY_LOOKUP": Example("NOT_EMPTY_LOOKUP: owner", {"owner": {"Id": "1"}}, True),
    "IS_DISAPPEARED": Example("IS_DISAPPEARED: {}", {"disappearanceTime": None}, False),
    "TEXT": Example("TEXT: running", {}, "running"),
    "BYTES": Example("BYTES: Running", {}, "Running"),
    "NUMBER": Example("NUMBER: 90", {}, 90.0),
    "BOOLEAN": Example("BOOLEAN: true", {}, True),
    "SET": Example("SET: {itemType: TEXT, items: [a, b]}", {}, ("a", "b")),
    "LIST": Example("LIST: {itemType: BYTES, items: [a, b]}", {}, ("a", "b")),
    "COLLECTION": Example("COLLECTION: {items: [a, b]}", {}, ("a", "b")),
    "DATE_TIME": Example("IS_EMPTY: {arg: {DATE_TIME: '2026-01-31T12:00:00Z'}}", {}, False),
    "UNIT_TEST_DATE_TIME": Example("IS_EMPTY: {arg: {UNIT_TEST_DATE_TIME: '2026-01-31'}}", {}, False),
    "DURATION": Example("IS_EMPTY: {arg: {DURATION: P1M}}", {}, False),
    "JSON": Example("JSON: {a: [1, 2]}", {}, {"a": [1, 2]}),
    "AND": Example("AND: {args: [{FIELD: {path: a}}, {FIELD: {path: b}}]}", {"a": True, "b": True}, True),
    "OR": Example("OR: {args: [{FIELD: {path: a}}, {FIELD: {path: b}}]}", {"a": False, "b": True}, True),
    "NOT": Example(f"NOT: {{{_A}}}", {"a": None}, True),
    "IS_EQUAL": Example("IS_EQUAL: {left: {FIELD: {path: a}}, right: {TEXT: on}}", {"a": " ON"}, True),
    "NOT_EQUAL": Example("NOT_EQUAL: {left: {FIELD: {path: a}}, right: {BYTES: on}}", {"a": "ON"}, True),
    "IS_EMPTY": Example(f"IS_EMPTY: {{{_A}}}", {"a": "  "}, True),
    "NOT_EMPTY": Example(f"NOT_EMPTY: {{{_A}}}", {"a": "x"}, True),
    "GREATER_THAN": Example(f"GREATER_THAN: {{{_SIDES}}}", {"a": 6}, True),
    "GREATER_THAN_EQUAL": Example(f"GREATER_THAN_EQUAL: {{{_SIDES}}}", {"a": 5}, True),
    "LESS_THAN": Example(f"LESS_THAN: {{{_SIDES}}}", {"a": None}, False),
    "LESS_THAN_EQUAL": Example(f"LESS_THAN_EQUAL: {{{_SIDES}}}", {"a": 5}, True),
    "BETWEEN": Example(f"BETWEEN: {{{_A}, rangeFrom: {{NUMBER: 1}}, rangeTo: {{NUMBER: 5}}}}", {"a": 5}, True),
    "CONTAINS": Example(f"CONTAINS: {{{_A}, search: {{TEXT: AD}}}}", {"a": "read only"}, True),
    "STARTS_WITH": Example(f"STARTS_WITH: {{{_A}, search: {{BYTES: arn}}}}", {"a": "arn:aws"}, True),
    "ENDS_WITH": Example(f"ENDS_WITH: {{{_A}, search: {{TEXT: root}}}}", {"a": "iam::1:Root"}, True),
    "CONTAINS_ALL": Example(f"CONTAINS_ALL: {{{_A}, search: {{SET: {{itemType: TEXT, items: [a, b]}}}}}}", {"a": "b, a"}, True),
    "CONTAINS_ANY": Example(f"CONTAINS_ANY: {{{_A}, search: {{SET: {{itemType: TEXT, items: [a, b]}}}}}}", {"a": "b"}, True),
    "COLLECTION_CONTAINS": Example(
        f"COLLECTION_CONTAINS: {{arg: {{COLLECTION_FROM: {{{_A}, separator: ','}}}}, search: {{TEXT: X}}}}", {"a": "w,x"}, True
    ),
    "CONTAINS_IGNORE_CASE": Example(f"CONTAINS_IGNORE_CASE: {{{_A}, substring: {{TEXT: B}}}}", {"a": "abc"}, True),
    "STARTS_WITH_IGNORE_CASE": Example(f"STARTS_WITH_IGNORE_CASE: {{{_A}, prefix: {{TEXT: A}}}}", {"a": "abc"}, True),
    "ENDS_WITH_IGNORE_CASE": Example(f"ENDS_WITH_IGNORE_CASE: {{{_A}, suffix: {{TEXT: C}}}}", {"a": "abc"}, True),
    "REGEX_MATCHES": Example(f"REGEX_MATCHES: {{{_A}, regex: {{TEXT: 'i-[0-9a-f]+'}}}}", {"a": "i-0abc"}, True),
    "IS_BEFORE_TODAY": Example(f"IS_BEFORE_TODAY: {{{_A}}}", {"a": "2026-01-30T23:59:59Z"}, True),
    "IS_AFTER_TODAY": Example(f"IS_AFTER_TODAY: {{{_A}}}", {"a": "2026-02-01"}, True),
    "IS_BEYOND_LAST_DAYS": Example(f"IS_BEYOND_LAST_DAYS: {{{_A}, offsetDays: 30}}", {"a": "2025-12-31T23:59:59Z"}, True),
    "IS_WITHIN_LAST_DAYS": Example(f"IS_WITHIN_LAST_DAYS: {{{_A}, offsetDays: 30}}", {"a": "2026-01-01"}, True),
    "IS_BEYOND_NEXT_DAYS": Example(f"IS_BEYOND_NEXT_DAYS: {{{_A}, offsetDays: 7}}", {"a": "2026-02-08"}, True),
    "IS_WITHIN_NEXT_DAYS": Example(f"IS_WITHIN_NEXT_DAYS: {{{_A}, offsetDays: 7}}", {"a": "2026-02-07"}, True),
    "DURATION_SINCE": Example(
        f"GREATER_THAN_EQUAL: {{left: {{DURATION_SINCE: {{{_A}}}}}, right: {{DURATION: P30D}}}}",
        {"a": "2026-01-01T12:00:00Z"},
        True,
    ),
    "DURATION_UNTIL": Example(
        f"LESS_THAN: {{left: {{DURATION_UNTIL: {{{_A}}}}}, right: {{DURATION: P7D}}}}", {"a": "2026-02-07T11:59:59Z"}, True
    ),
    "BOOLEAN_FROM": Example(
        f"BOOLEAN_FROM: {{{_A}, trueValue: Enabled, undeterminedIf: {{isEmpty: Not known.}}}}", {"a": "enabled"}, True
    ),
    "DATE_TIME_FROM": Example(
        f"IS_BEFORE_TODAY: {{arg: {{DATE_TIME_FROM: {{{_A}, format: ISO_8601, nullValues: [N/A], {_INVALID}}}}}}}",
        {"a": "2025-01-01"},
        True,
    ),
    "DURATION_FROM": Example(
        f"GREATER_THAN: {{left: {{DURATION_FROM: {{{_A}, format: GCP, {_INVALID}}}}}, right: {{DURATION: PT1H}}}}",
        {"a": "3601s"},
        True,
    ),
    "SET_FROM": Example(f"SET_FROM: {{{_A}, separator: ','}}", {"a": "x,y"}, ("x", "y")),
    "LIST_FROM": Example(f"LIST_FROM: {{{_A}, separator: an}}", {"a": "banana"}, ("b", "", "a")),
    "COLLECTION_FROM": Example(f"COLLECTION_FROM: {{{_A}, separator: ',', emptyValues: SKIP}}", {"a": "x,,Y"}, ("x", "y")),
    "SIZE": Example(f"SIZE: {{arg: {{SET_FROM: {{{_A}, separator: ','}}}}}}", {"a": "x,X,"}, 1),
    "COLLECTION_SIZE": Example(f"COLLECTION_SIZE: {{arg: {{COLLECTION_FROM: {{{_A}, separator: ','}}}}}}", {"a": "x,X,"}, 1),
    "JSON_FROM": Example(_JSON, {"a": '{"b": 1}'}, {"b": 1}),
    "JSON_QUERY_TEXT": Example(
        f"JSON_QUERY_TEXT: {{arg: {{{_JSON}}}, expression: 'b[0]', {_QUERY}}}", {"a": '{"b": ["x"]}'}, "x"
    ),
    "JSON_QUERY_BYTES": Example(f"JSON_QUERY_BYTES: {{arg: {{{_JSON}}}, expression: b, {_QUERY}}}", {"a": '{"b": "x"}'}, "x"),
    "JSON_QUERY_NUMBER": Example(
        f"JSON_QUERY_NUMBER: {{arg: {{{_JSON}}}, expression: length(b), {_QUERY}}}", {"a": '{"b": [1, 2]}'}, 2
    ),
    "JSON_QUERY_BOOLEAN": Example(
        f"JSON_QUERY_BOOLEAN: {{arg: {{{_JSON}}}, expression: b, {_QUERY}}}", {"a": '{"b": true}'}, True
    ),
    "ATTRIBUTES_FROM": Example(_ATTRIBUTES, {"a": "port: 22"}, (("port", "22"),)),
    "ATTRIBUTE_VALUE": Example(
        f"ATTRIBUTE_VALUE: {{arg: {{{_ATTRIBUTES}}}, key: {{TEXT: Port}}, undeterminedIf: {{duplicateKey: Twice.}}}}",
        {"a": "port: 22"},
        "22",
    ),
    "TAG_EXISTS": Example("TAG_EXISTS: {name: {TEXT: cost center}, tagsJson: tags}", {"tags": '{"Cost-Center": "7"}'}, True),
    "TAG_VALUE_TEXT": Example(
        "TAG_VALUE_TEXT: {name: {TEXT: cost center}, tagsJson: tags}", {"tags": '{"Cost-Center": "7"}'}, "7"
    ),
    "TAG_VALUE_BYTES": Example("TAG_VALUE_BYTES: {name: {BYTES: Env}, tagsJson: tags}", {"tags": '{"Env": "prod"}'}, "prod"),
    "RELATED_LIST_HAS": Example(
        "RELATED_LIST_HAS: {status: INCOMPLIANT, relationshipName: rules}", {"rules": [{"open": True}]}, True
    ),
    "RELATED_LIST_HAS_NO": Example("RELATED_LIST_HAS_NO: {status: INCOMPLIANT, relationshipName: rules}", {"rules": []}, True),
    "RELATED_LIST_COUNT": Example(
        "RELATED_LIST_COUNT: {status: COMPLIANT, relationshipName: rules}", {"rules": [{"open": False}]}, 1
    ),
    "AWS_POLICY_ALLOWS": Example(
        "AWS_POLICY_ALLOWS: {policyExtField: policy, widestAcceptableAccessLevel: AWS_SERVICE, actions: ['s3:GetObject']}",
        {"policy": '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*"}}'},
        True,
    ),
    "AWS_POLICY_GRANTS": Example(
        "AWS_POLICY_GRANTS: {policyExtField: policy, actions: ['*:*']}",
        {
            "policy": '{"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},'
            ' {"Effect": "Allow", "Action": "IAM:*", "Resource": ["*"]}]}'
        },
        True,
    ),
    "AWS_POLICY_DENIES": Example(
        "AWS_POLICY_DENIES:\n  policyExtField: policy\n  actions: ['s3:*']\n  resourceField: arn\n"
        "  conditionKey: aws:SecureTransport\n  conditionValue: 'false'",
        {
            "arn": "arn:aws:s3:::logs",
            "policy": '{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",'
            ' "Condition": {"Bool": {"aws:SecureTransport": false}}}}',
        },
        True,
    ),
    "AWS_LOG_FILTER_MATCHES": Example(
        f"AWS_LOG_FILTER_MATCHES: {{{_A}, events: [{{eventName: StopLogging}}, {{eventName: DeleteTrail}}]}}",
        {"a": '{ ($.eventName = DeleteTrail) || $.eventName = "Stop*" }'},
        True,
    ),
    "AWS_TRAIL_RECORDS": Example(
        f"AWS_TRAIL_RECORDS: {{arg: {{{_JSON}}}, events: ["
        "{eventCategory: Management, eventSource: {not: [kms.amazonaws.com]}}]}",
        {
            "a": '{"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true,'
            ' "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}'
        },
        True,
    ),
    "CIDRS_COVER": Example(
        f"CIDRS_COVER: {{{_A}, search: {{FIELD: {{path: b}}}}}}",
        {"a": ["10.0.0.0/17", "10.0.128.0/17"], "b": ["10.0.0.0/16", "10.1.0.0/16"]},
        True,
    ),
    "ADMITS_INTERNET": Example(
        f"ADMITS_INTERNET: {{{_A}, ports: [22]}}", {"a": [{"protocol": "-1", "cidrs": ["198.51.100.0/24"]}]}, False
    ),
    "ADMITS_IPV4_INTERNET": Example(
        f"ADMITS_IPV4_INTERNET: {{{_A}, ports: [22, 3389]}}",
        {"a": [{"protocol": "tcp", "from": 0, "to": 1023, "cidrs": ["0.0.0.0/1", "128.0.0.0/1"]}]},
        True,
    ),
    "ADMITS_IPV6_INTERNET": Example(
        f"ADMITS_IPV6_INTERNET: {{{_A}, ports: [22]}}",
        {
            "a": [
                {"number": 20, "action": "allow", "protocol": "-1", "cidrs": ["::/0"]},
                {"number": 10, "action": "deny", "protocol": "6", "from": 22, "to": 22, "cidrs": ["::/0"]},
            ]
        },
        True,
    ),
    "GCP_LOGGING_QUERY_MATCH": Example(
        f"GCP_LOGGING_QUERY_MATCH: {{{_A}, value: 'protoPayload.methodName=\"SetIamPolicy\"'}}",
        {"a": 'protoPayload.methodName = "SetIamPolicy"'},
        True,
    ),
    "DEBUG": Example(f"DEBUG: {{name: a, {_A}}}", {"a": 5}, 5),
    "UNIT_TEST": Example("UNIT_TEST: {id: x, arg: {BOOLEAN: true}}", {"Id": "x"}, True),
    "UNIT_TEST_NULL": Example("UNIT_TEST_NULL: {returnType: TEXT}", {}, None),
    "UNIT_TEST_RUNTIME_ERROR": Example(
        "AND: {args: [{BOOLEAN: false}, {UNIT_TEST_RUNTIME_ERROR: {returnType: BOOLEAN, message: boom}}]}", {}, False
    ),
}
"""By the operation's name. An extract `name` of the field `name`, and a related list `rules`, are at hand."""


def read_example(example: Example) -> Expression:
    """Return an example's expression.

    Raises:
        ValueError: the example has an error.
    """
    reader, object_type = FileReader("example", []), ObjectType("example", "Example", untyped=True)
    extracts = {"name": ExtractSource("example", read_yaml("example", b"FIELD: {path: name}"))}
    scope = Scope(object_type, lambda name: object_type, (extracts,))
    expression = read_expression(reader, read_yaml("example", example.yaml.encode()), scope)
    if expression is None:
        raise ValueError("; ".join(map(str, reader.problems)))
    return expression
