"""A repository in the public form (policy language, section 1), as large as the one that the form comes from."""

import json
import random

FRAMEWORKS, POLICIES, RULES, SECTIONS = 34, 290, 150, 6400
LOGIC = """inputType: Cloud.Thing
importExtracts: [{file: /types/Cloud.Thing/thing.extracts.yaml}]
testData: [{file: test-data.json}]
conditions:
  - status: INCOMPLIANT
    currentStateMessage: It is open.
    check: {EXTRACT: isOpen}
otherwise: {status: COMPLIANT, currentStateMessage: It is closed.}
"""
EXTRACTS = """extracts:
  - name: isOpen
    value: {IS_EQUAL: {left: {FIELD: {path: open}}, right: {BOOLEAN: true}}}
"""


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def build(root, sections=SECTIONS, policies=POLICIES):
    """Write the repository; texts, links and their dead ends are drawn, the same each time."""
    draw = random.Random(7)
    ids = _frameworks(root, sections, draw)
    names = [f"dec-x-{number:08x}" for number in range(RULES)]
    write(root / "internal-rule-sections.json", {name: draw.sample(OWN, 3) for name in names})
    write(root / "types" / "Cloud.Thing" / "thing.extracts.yaml", EXTRACTS)
    write(root / "ce" / "folder.yaml", {"names": {"full": "Policies", "contextual": "Policies"}})
    write(root / "ce" / "ca" / "folder.yaml", {"names": {"full": "Cloud", "contextual": "Cloud"}})
    for service in range(10):
        name = {"full": f"Cloud Service {service}", "contextual": f"Service {service}"}
        write(root / "ce" / "ca" / f"service-{service}" / "folder.yaml", {"names": name})
    for number in range(policies):
        _policy(root / "ce" / "ca" / f"service-{number % 10}" / f"policy-{number:03}", number, ids, names, draw)
    write(root / "README.md", "# Read me\n")
    write(root / "ce" / "ca" / "picture.svg", "<svg/>")
    write(root / ".git" / "config", "[core]\n")
    return root


OWN = [f"own/part-{number}" for number in range(60)]


def _frameworks(root, sections, draw):
    ids, each = [], sections // FRAMEWORKS
    for framework in range(FRAMEWORKS):
        top = f"/frameworks/framework-{framework:02}"
        write(root / top.lstrip("/") / "section.yaml", {"name": f"Framework {framework}", "singlePolicyOnly": framework == 3})
        for number in range(each):
            chapter = f"{top}/{number // 20 + 1:02}"
            own = chapter if number % 20 == 0 else f"{chapter}/{number % 20:02}"
            section = {"name": f"{number} Title", "description": "What is asked for."}
            similar = {}
            if framework and number % 3 == 0:
                similar["sections"] = [draw.choice(ids)]
            if number % 4 == 0:
                similar["internal"] = draw.sample(OWN, 2)
            if number % 5 == 0:
                similar["awsSecurityHub"] = {"controlUrl": "https://example.com/control"}
            write(root / own.lstrip("/") / "section.yaml", {**section, **({"similar": similar} if similar else {})})
            ids.append(own)
    return ids


def _policy(folder, number, ids, rules, draw):
    similar = {
        "internal": draw.sample(rules, 1),
        "cloudConformity": [{"url": "https://example.com/a", "name": "Theirs"}],
        "awsSecurityHub": [{"name": "IAM.1", "url": "https://example.com/b"}],
        "awsTrustedAdvisor": [{"checkId": "abc", "name": "Check", "url": "https://example.com/c"}],
        "prowler": [{"name": "one", "url": "https://example.com/d"}, {"name": "two", "url": "https://example.com/e"}],
        "cloudCustodian": [{"name": "c", "url": "https://example.com/f"}],
        "awsConfig": [{"name": "rule", "url": "https://example.com/g"}],
    }
    policy = {
        "names": {"full": f"Cloud Thing {number} is open", "contextual": f"Thing {number} is open"},
        "description": "A thing must not be open.",
        "frameworkMappings": draw.sample(ids, 2),
        "tags": ["network", "easy"],
    }
    if number % 2:
        policy |= {"type": "BEST_PRACTICE", "categories": ["SECURITY", "COST"], "similarPolicies": similar}
    if number % 10 == 3:
        policy["frameworkIgnoreMappings"] = [next(one for one in ids if one not in policy["frameworkMappings"])]
    if number % 10 == 7:
        policy["impossible"] = True
        write(folder / "internal.md", "Why not.\n")
    elif number % 10 == 5:
        write(folder / "wip.logic.yaml", "conditions: nothing yet\n")
        write(folder / "todo.md", "# Todo\n")
    else:
        write(folder / "prod.logic.yaml", LOGIC)
        write(
            folder / "example.logic.yaml", LOGIC.replace("testData: [{file: test-data.json}]\n", "") if number == 0 else LOGIC
        )
        write(folder / "test-data.json", [_object(True), _object(False)])
    if number % 9:
        write(folder / "description.md", "# Description\n\nText.\n\n## Rationale\n\nMore.\n")
        write(folder / "remediation.md", "# Remediation\n\n## From Console\n\n1. Click.\n")
    write(folder / "policy.yaml", policy)


def _object(is_open):
    status, code, text = ("INCOMPLIANT", 199, "extract('isOpen')") if is_open else ("COMPLIANT", 200, "otherwise")
    expected = {"status": status, "conditionIndex": code, "conditionText": text, "runtimeError": None}
    return {"Id": f"open {is_open}", "open": is_open, "expectedResult": expected}
