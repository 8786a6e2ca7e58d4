"""Linked sections: exactly the 30 of the page that the product started from, each with why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import CATALOG
from reeve.model import InternalRule, Policy, Section
from reeve.repository.links import Reason, link
from reeve.repository.repository import Repository

FIRST = "/ce/ca/aws/iam/user-has-more-than-one-active-access-key"
RULE = "dec-x-30795016"

# Section, reason, the number of sub sections (facts of the page that the product started from).
EXPECTED = {
    "apra-cpg-234/e/4": ("rule", 0),
    "apra-cpg-234/16/44/c": ("rule", 0),
    "cis-aws-v1.3.0/01/13": ("rule", 0),
    "cis-aws-v1.4.0/01/13": ("rule", 0),
    "cis-aws-v1.5.0/01/13": ("rule", 0),
    "cis-aws-v2.0.0/01/13": ("rule", 0),
    "cis-aws-v3.0.0/01/13": ("rule", 0),
    "cis-aws-v4.0.0/01/13": ("mapping", 0),
    "cis-aws-v4.0.1/01/13": ("similar", 0),
    "cis-aws-v5.0.0/01/12": ("similar", 0),
    "cloudaware/identity-and-access-governance/credential-lifecycle-management": ("mapping", 0),
    "fedramp-high-security-controls/ia/05": ("rule", 6),
    "fedramp-high-security-controls/sc/12": ("rule", 1),
    "fedramp-low-security-controls/ia/05": ("similar", 1),
    "fedramp-low-security-controls/sc/12": ("similar", 0),
    "fedramp-moderate-security-controls/ia/05": ("similar", 4),
    "fedramp-moderate-security-controls/sc/12": ("similar", 0),
    "gdpr/04/25": ("rule", 0),
    "iso-iec-27001-2013/09/02/04": ("rule", 0),
    "iso-iec-27001-2013/10/01/02": ("rule", 0),
    "nist-csf-v1.1/pr-ac/01": ("rule", 0),
    "nist-csf-v1.1/pr-ac/07": ("rule", 0),
    "nist-csf-v1.1/pr-ds/01": ("rule", 0),
    "nist-csf-v1.1/pr-ds/02": ("rule", 0),
    "nist-csf-v2.0/pr-aa/01": ("similar", 0),
    "nist-csf-v2.0/pr-aa/03": ("similar", 0),
    "nist-csf-v2.0/pr-aa/05": ("similar", 0),
    "nist-csf-v2.0/pr-ds/01": ("similar", 0),
    "nist-csf-v2.0/pr-ds/02": ("similar", 0),
    "nist-sp-800-53-r4/sc/12": ("rule", 5),
}


@pytest.fixture(scope="module")
def links():
    repository = Repository.open(CATALOG)
    return link(repository.policies.values(), repository.sections, repository.rules)


def test_exactly_these_sections_for_these_reasons(links):
    kinds = {Reason.MAPPING: "mapping", Reason.RULE: "rule", Reason.SIMILAR: "similar"}
    found = {found.section.id.removeprefix("/frameworks/"): kinds[found.why[0].reason] for found in links.by_policy[FIRST]}
    assert found == {section: reason for section, (reason, _) in EXPECTED.items()}


def test_counters(links):
    for section, (_, below) in EXPECTED.items():
        counters = links.counters[f"/frameworks/{section}"]
        assert counters.sub_sections == below, section
        assert counters.policies >= 1
    assert links.counters["/frameworks/cis-aws-v1.3.0/01/13"].internal_rules == 1
    assert links.counters["/frameworks/cis-aws-v4.0.0/01/13"].internal_rules == 0


def test_the_reason_names_the_rule_and_the_similar_section(links):
    by_id = {found.section.id: [str(why) for why in found.why] for found in links.by_policy[FIRST]}
    assert by_id["/frameworks/gdpr/04/25"] == [f"internal rule {RULE}"]
    assert by_id["/frameworks/cis-aws-v5.0.0/01/12"] == ["similar to /frameworks/cis-aws-v4.0.1/01/13"]


def test_a_framework_is_the_same_in_one_file_and_as_a_tree(tmp_path):
    one, tree = tmp_path / "one", tmp_path / "tree"
    (one / "frameworks").mkdir(parents=True)
    (one / "frameworks" / "f.yaml").write_text(
        "- {id: /frameworks/f, name: F, singlePolicyOnly: true}\n"
        "- {id: /frameworks/f/01, name: '1 One', description: First., similar: [/frameworks/g/02]}\n"
    )
    (tree / "frameworks" / "f" / "01").mkdir(parents=True)
    (tree / "frameworks" / "f" / "section.yaml").write_text("name: F\nsinglePolicyOnly: true\n")
    (tree / "frameworks" / "f" / "01" / "section.yaml").write_text(
        "name: 1 One\ndescription: First.\nsimilar: {sections: [/frameworks/g/02]}\n"
    )
    assert Repository.open(one).sections == Repository.open(tree).sections


def policy(mappings, ignored=(), rules=()):
    return Policy("/ce/p", "p", "p", "", framework_mappings=mappings, framework_ignore_mappings=ignored, internal_rules=rules)


def test_ignored_sections_are_linked_by_the_policy_only_and_hand_nothing_on():
    sections = {
        "/frameworks/f/1": Section("/frameworks/f/1", "1"),
        "/frameworks/f/2": Section("/frameworks/f/2", "2", similar=("/frameworks/f/1",)),
        "/frameworks/f/3": Section("/frameworks/f/3", "3", similar=("/frameworks/f/2",)),
        "/frameworks/f/4": Section("/frameworks/f/4", "4"),
        "/frameworks/f/5": Section("/frameworks/f/5", "5", similar=("/frameworks/f/4",)),
    }
    rules = {"r": InternalRule("r", "r", ("/frameworks/f/4",))}
    one = policy(("/frameworks/f/1",), ("/frameworks/f/1", "/frameworks/f/2", "/frameworks/f/4"), ("r",))
    found = link([one], sections, rules).by_policy["/ce/p"]
    assert [(each.section.id, [str(why) for why in each.why]) for each in found] == [
        ("/frameworks/f/1", ["mapped by the policy"])
    ]


def test_rules_are_mapped_by_the_organisations_own_sections_too():
    sections = {
        "/frameworks/f": Section("/frameworks/f", "f"),
        "/frameworks/f/1": Section("/frameworks/f/1", "1", internal_sections=("own/7", "own/8")),
        "/frameworks/f/2": Section("/frameworks/f/2", "2", similar=("/frameworks/f/1",)),
    }
    rules = {"r": InternalRule("r", "r", internal_sections=("own/8", "own/9")), "s": InternalRule("s", "s")}
    found = link([policy((), rules=("r", "s", "unknown"))], sections, rules)
    assert found.by_rule == {"r": ("/frameworks/f/1",), "s": ()}
    assert [str(one.why[0]) for one in found.by_policy["/ce/p"]] == ["internal rule r", "similar to /frameworks/f/1"]
    assert (found.counters["/frameworks/f"].internal_rules, found.counters["/frameworks/f"].policies) == (1, 1)


IDS = [f"/frameworks/f/{number}" for number in range(8)]


@given(
    similar=st.dictionaries(st.sampled_from(IDS), st.lists(st.sampled_from(IDS), max_size=3)),
    mappings=st.lists(st.sampled_from(IDS), max_size=3),
    rule=st.lists(st.sampled_from(IDS), max_size=3),
)
def test_links_are_the_closure_whatever_the_circles(similar, mappings, rule):
    sections = {i: Section(i, i, similar=tuple(similar.get(i, ()))) for i in IDS}
    rules = {"r": InternalRule("r", "r", tuple(rule))}
    found = {
        one.section.id: one.why for one in link([policy(tuple(mappings), rules=("r",))], sections, rules).by_policy["/ce/p"]
    }
    closed = set(mappings) | set(rule)
    while grown := {i for i in IDS if closed & set(similar.get(i, ()))} - closed:
        closed |= grown
    assert set(found) == closed
    assert all(found.values())
