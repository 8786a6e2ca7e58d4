"""Every page of the site: its address, its template, and what it shows."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from reeve.language.reference import language
from reeve.model import ObjectType, Policy, Section
from reeve.report.accounts import account_text
from reeve.report.markdown import is_link
from reeve.repository.links import ancestors
from reeve.repository.metadata import VENDORS
from reeve.site.catalogue import Catalogue, in_order
from reeve.site.flags import FLAGS
from reeve.site.markdown import words_of
from reeve.site.policy_page import offenders

MOST_OFFENDERS, SOME_ACCOUNTS = 100, 5


@dataclass(frozen=True, slots=True)
class Page:
    """A page: `kind` and `words` are for the search, `crumbs` lead to it, `data` is what its template shows."""

    address: str
    template: str
    title: str
    kind: str
    crumbs: tuple[tuple[str, str], ...]
    data: Mapping[str, Any] = field(repr=False)
    words: str = ""


def all_pages(catalogue: Catalogue) -> Iterator[Page]:
    """Yield every page of the site.

    Raises:
        InvalidRepositoryError: a logic file, test data or a type has errors; all of them are named.
    """
    yield _home(catalogue)
    yield from _folders(catalogue)
    for policy in catalogue.policies.values():
        yield _policy(catalogue, policy)
    for section in catalogue.sections.values():
        yield _framework(catalogue, section) if section.is_framework else _section(catalogue, section)
    rules = sorted({*catalogue.rules, *catalogue.by_rule})
    for rule_id in rules:
        yield _rule(catalogue, rule_id)
    types = _type_ids(catalogue)
    for type_id in types:
        yield _type(catalogue, type_id)
    yield from _lists(catalogue, rules, types)
    yield Page("/language/", "text", "The policy language", "Reference", _HOME, {"text": language()}, "operations")


_HOME = (("/", "Home"),)


def rule_address(rule_id: str) -> str:
    """Return the address of an internal rule's page."""
    return f"/internal/rules/{rule_id}/"


def _home(catalogue: Catalogue) -> Page:
    production = [policy for policy in catalogue.policies.values() if policy.is_production]
    numbers = (
        ("policies", len(catalogue.policies), "/policies/"),
        ("in production", len(production), "/policies/"),
        ("frameworks", len(catalogue.frameworks), "/frameworks/"),
        ("sections", len(catalogue.sections) - len(catalogue.frameworks), "/frameworks/"),
        ("internal rules", len(catalogue.rules), "/internal/rules/"),
        ("types", len(_type_ids(catalogue)), "/types/"),
    )
    data = {
        "numbers": numbers,
        "folders": _leaf_folders(catalogue),
        "frameworks": _framework_rows(catalogue),
        "scan": _scan(catalogue),
    }
    return Page("/", "home", "Policies and frameworks", "", (), data)


def _scan(catalogue: Catalogue) -> Mapping[str, Any] | None:
    if catalogue.results is None:
        return None
    manifest = catalogue.results.manifest
    rows = catalogue.policy_rows(one.policy.id for one in catalogue.results.worst_first)
    ranks = {one.policy.id: rank for rank, one in enumerate(catalogue.results.worst_first)}
    worst = tuple(row for row in sorted(rows, key=lambda row: ranks[row.id]) if row.counts and row.counts["INCOMPLIANT"])
    at = f"{manifest.moment:%Y-%m-%d %H:%M:%S} UTC"
    accounts = ", ".join(account_text(part.account, part.account_name) for part in manifest.parts[:SOME_ACCOUNTS])
    accounts += f" and {len(manifest.parts) - SOME_ACCOUNTS} more" if len(manifest.parts) > SOME_ACCOUNTS else ""
    complete = catalogue.results.complete
    return {"accounts": accounts, "at": at, "complete": complete, "worst": worst[:15], "failing": len(worst)}


# Policies ------------------------------------------------------------------------------------------------------------


def _folder_ids(catalogue: Catalogue) -> list[str]:
    found: set[str] = set(catalogue.repository.folders)
    for policy in catalogue.policies.values():
        parts = policy.folder.split("/")
        found.update("/".join(parts[:n]) for n in range(2, len(parts) + 1))
    return sorted(found - {""} - ({"/ce"} - catalogue.repository.folders.keys()))


def _leaf_folders(catalogue: Catalogue) -> tuple[tuple[str, str, int], ...]:
    counts = Counter(policy.folder for policy in catalogue.policies.values())
    return tuple((one, catalogue.folder_name(one), count) for one, count in sorted(counts.items()))


def _crumbs(catalogue: Catalogue, folder: str) -> tuple[tuple[str, str], ...]:
    parts = folder.split("/")
    above = ["/".join(parts[:n]) for n in range(2, len(parts) + 1)]
    known = (one for one in above if one != "/ce" or one in catalogue.repository.folders)
    return (*_HOME, *((f"{one}/", catalogue.folder_name(one, contextual=True)) for one in known))


def _folders(catalogue: Catalogue) -> Iterator[Page]:
    ids = _folder_ids(catalogue)
    for folder_id in ids:
        below = tuple(catalogue.folder_row(one, True) for one in ids if one.rpartition("/")[0] == folder_id)
        own = [policy.id for policy in catalogue.policies.values() if policy.folder == folder_id]
        data = {"row": catalogue.folder_row(folder_id), "folders": below, "policies": catalogue.policy_rows(own, True)}
        crumbs = _crumbs(catalogue, folder_id.rpartition("/")[0])
        yield Page(f"{folder_id}/", "folder", catalogue.folder_name(folder_id), "Folder", crumbs, data)


def _policy(catalogue: Catalogue, policy: Policy) -> Page:
    texts = {
        name: catalogue.repository.files.text(f"{policy.id}/{name}.md")
        for name in ("description", "remediation", "todo", "internal")
    }
    found = catalogue.links.by_policy[policy.id]
    sections = tuple((catalogue.section_row(one.section), tuple(map(str, one.why))) for one in found)
    judged = catalogue.judged.get(policy.id)
    similar = tuple((VENDORS[one.vendor], one.name, one.url) for one in policy.similar_policies)
    data = {
        "policy": replace(policy, files=frozenset()),  # a set has no order, and pages are compared with earlier ones
        "production": policy.is_production,
        "flags": catalogue.flags[policy.id],
        "folder": catalogue.folder_name(policy.folder),
        "similar": similar,
        "rules": catalogue.rule_rows(policy.internal_rules),
        "logics": catalogue.logics[policy.id],
        "texts": texts,
        "yaml": catalogue.repository.files.text(f"{policy.id}/policy.yaml"),
        "sections": sections,
        "counts": catalogue.counts(policy.id),
        "offenders": offenders(judged.findings, MOST_OFFENDERS) if judged else (),
    }
    first = (one.section.name.split(" ")[0] for one in found)
    numbers = " ".join(dict.fromkeys(word for word in first if word[:1].isdigit()))
    words = f"{policy.description} {numbers} {policy.severity or ''} {words_of(texts['description'] or '')[:400]}"
    return Page(f"{policy.id}/", "policy", policy.full_name, "Policy", _crumbs(catalogue, policy.folder), data, words)


# Frameworks ----------------------------------------------------------------------------------------------------------


def _framework_rows(catalogue: Catalogue) -> tuple[Any, ...]:
    return tuple((catalogue.section_row(one), _automated(catalogue, one)) for one in catalogue.frameworks)


def _automated(catalogue: Catalogue, section: Section) -> tuple[int, int]:
    """Return how many of the sections without sections below them have a production policy, and how many there are."""
    leaves, pending = list[str](), [section.id]
    while pending:
        one = pending.pop()
        below = catalogue.children.get(one, ())
        pending.extend(below)
        if not below:
            leaves.append(one)
    has = [one for one in leaves if any(catalogue.policies[p].is_production for p in catalogue.direct.get(one, ()))]
    return len(has), len(leaves)


def _framework(catalogue: Catalogue, section: Section) -> Page:
    data = {
        **_section_data(catalogue, section),
        "tree": catalogue.tree(section.id),
        "automated": _automated(catalogue, section),
    }
    return Page(f"{section.id}/", "framework", section.name, "Framework", (*_HOME, ("/frameworks/", "Frameworks")), data)


def _section(catalogue: Catalogue, section: Section) -> Page:
    above = [*ancestors(section.id.rpartition("/")[0], catalogue.sections)]
    crumbs = ((f"{one}/", catalogue.sections[one].name) for one in reversed(above))
    data = {**_section_data(catalogue, section), "tree": catalogue.tree(section.id)}
    framework = catalogue.sections.get(section.framework)
    words = framework.name if framework else section.framework
    crumbs = (*_HOME, ("/frameworks/", "Frameworks"), *crumbs)
    return Page(f"{section.id}/", "section", section.name, "Section", crumbs, data, words)


def _section_data(catalogue: Catalogue, section: Section) -> dict[str, Any]:
    judged = catalogue.verdicts.get(section.id)
    return {
        "section": section,
        "url": section.aws_security_hub_url if is_link(section.aws_security_hub_url) else None,
        "row": catalogue.section_row(section),
        "policies": catalogue.policy_rows(catalogue.direct.get(section.id, ())),
        "rules": catalogue.rule_rows(catalogue.mapped.get(section.id, ())),
        "inherits": catalogue.section_rows(section.similar),
        "heirs": catalogue.section_rows(sorted(catalogue.heirs.get(section.id, ()))),
        "counts": in_order(judged.counts) if judged and judged.policies else None,
    }


def _rule(catalogue: Catalogue, rule_id: str) -> Page:
    rule = catalogue.rules.get(rule_id)
    data = {
        "id": rule_id,
        "rule": rule,
        "sections": catalogue.section_rows(catalogue.links.by_rule.get(rule_id, ())),
        "policies": catalogue.policy_rows(catalogue.by_rule.get(rule_id, ())),
    }
    crumbs = (*_HOME, ("/internal/rules/", "Internal rules"))
    return Page(rule_address(rule_id), "rule", rule.name if rule else rule_id, "Internal rule", crumbs, data, rule_id)


# Types and lists -----------------------------------------------------------------------------------------------------


def _type_ids(catalogue: Catalogue) -> tuple[str, ...]:
    return tuple(path.rpartition("/")[2] for path, names in catalogue.repository.files.walk("/types") if "type.yaml" in names)


def _type(catalogue: Catalogue, type_id: str) -> Page:
    declared = catalogue.repository.object_type(type_id)
    files = next((names for _, names in catalogue.repository.files.walk(f"/types/{type_id}")), frozenset[str]())
    extracts = tuple(
        (name, catalogue.repository.files.text(f"/types/{type_id}/{name}"))
        for name in sorted(files)
        if name.endswith(".extracts.yaml")
    )
    data = {
        "type": declared,
        "calls": _calls(declared),
        "policies": catalogue.policy_rows(catalogue.policies_by_type[type_id]),
        "extracts": extracts,
    }
    words = f"{type_id} {declared.description}"
    return Page(f"/types/{type_id}/", "type", declared.name, "Type", (*_HOME, ("/types/", "Types")), data, words)


def _calls(declared: ObjectType) -> tuple[tuple[str, str, str], ...]:
    """Return the calls that collect a type as (call, what for, IAM actions)."""
    if declared.collect is None:
        return ()
    listed = [(one.call, f"for each {one.parent}" if one.parent else "lists the objects") for one in declared.collect.sources]
    each = [(call, f"for each object: {name}") for name, call in declared.collect.calls.items()]
    return tuple((call.name, what, ", ".join(call.permissions)) for call, what in (*listed, *each) if call is not None)


def _in_progress(policy: Policy) -> bool:
    return (not policy.is_production and not policy.impossible) or "wip.logic.yaml" in policy.files


def _has(catalogue: Catalogue, flag: str, policy: Policy) -> bool:
    return any(key == flag for key, _ in catalogue.flags[policy.id])


def _lists(catalogue: Catalogue, rules: list[str], types: tuple[str, ...]) -> Iterator[Page]:
    linked = {policy_id for policy_id, found in catalogue.links.by_policy.items() if found}
    wanted: list[tuple[str, str, str, Callable[[Policy], bool]]] = [
        ("", "All policies", "Every policy of the repository.", lambda policy: True),
        ("in-progress/", "Policies in progress", "Without production logic, or with work in progress.", _in_progress),
        ("without-framework/", "Policies without a framework", "Linked to no section.", lambda policy: policy.id not in linked),
    ]
    for key, flag in FLAGS.items():
        wanted.append((f"{key}/", f"Policies: {flag.name}", flag.description, partial(_has, catalogue, key)))
    lists = tuple(
        (f"/policies/{address}", title, sum(map(fits, catalogue.policies.values()))) for address, title, _, fits in wanted
    )
    for address, title, description, fits in wanted:
        rows = catalogue.policy_rows(policy.id for policy in catalogue.policies.values() if fits(policy))
        data = {"description": description, "policies": rows, "lists": lists}
        yield Page(f"/policies/{address}", "policies", title, "List", _HOME, data)
    yield Page("/frameworks/", "frameworks", "Frameworks", "List", _HOME, {"frameworks": _framework_rows(catalogue)})
    yield Page("/internal/rules/", "rules", "Internal rules", "List", _HOME, {"rules": catalogue.rule_rows(rules)})
    found = tuple(
        (one, catalogue.repository.object_type(one).name, catalogue.repository.object_type(one).description) for one in types
    )
    yield Page("/types/", "types", "Types", "List", _HOME, {"types": found})
