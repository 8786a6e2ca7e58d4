"""A framework's tree: counts and verdicts of its sections, in every output."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import CATALOG, FIRST
from reeve.findings.frameworks import Verdict, framework_result, verdict
from reeve.findings.results import SHOWN_ORDER
from reeve.model import Section, Status
from reeve.repository.repository import Repository

CIS = "/frameworks/cis-aws-v5.0.0"
counts = st.fixed_dictionaries({status: st.integers(0, 3) for status in Status})


@pytest.mark.parametrize(
    ("found", "complete", "expected"),
    [
        ({Status.INCOMPLIANT: 1, Status.UNDETERMINED: 5, Status.COMPLIANT: 9}, False, Verdict.FAILED),
        ({Status.UNDETERMINED: 1, Status.COMPLIANT: 9}, True, Verdict.INCOMPLETE),
        ({Status.COMPLIANT: 1, Status.INAPPLICABLE: 9}, True, Verdict.PASSED),
        ({Status.INAPPLICABLE: 1, Status.DISAPPEARED: 2}, True, Verdict.NOT_APPLICABLE),
        ({Status.COMPLIANT: 1, Status.INAPPLICABLE: 9}, False, Verdict.INCOMPLETE),
        ({}, True, Verdict.NOT_APPLICABLE),
        ({}, False, Verdict.INCOMPLETE),
    ],
)
def test_verdicts(found, complete, expected):
    assert verdict({status: found.get(status, 0) for status in Status}, True, complete) is expected
    assert verdict(dict.fromkeys(Status, 0), False, complete) is Verdict.NOT_JUDGED


sections = st.sets(
    st.lists(st.sampled_from("abc"), max_size=3).map(lambda parts: "/".join(["/frameworks/f", *parts])), max_size=12
)


@given(sections, st.dictionaries(st.sampled_from("pqr"), counts), st.data())
def test_every_section_counts_each_policy_at_or_below_it_once(ids, totals, data):
    ids = sorted({above for one in ids for above in lines(one)} | {"/frameworks/f"})
    linked = {policy: data.draw(st.lists(st.sampled_from([*ids, "/frameworks/g/a"]), unique=True)) for policy in totals}
    tree = framework_result("/frameworks/f", [Section(one, one) for one in [*ids, "/frameworks/g"]], linked, totals, ())
    assert [one.section.id for one in tree.sections] == ids
    for one in tree.sections:
        inside = {policy for policy, where in linked.items() if any(f"{w}/".startswith(f"{one.section.id}/") for w in where)}
        assert {*one.policies} == inside
        assert one.counts == {status: sum(totals[policy][status] for policy in inside) for status in Status}
        below = [other for other in ids if other.startswith(f"{one.section.id}/")]
        leaves = [leaf for leaf in below or [one.section.id] if not any(other.startswith(f"{leaf}/") for other in ids)]
        assert one.leaves == len(leaves) and one.judged <= one.leaves


def lines(section_id):
    parts = section_id.split("/")
    return {"/".join(parts[:n]) for n in range(3, len(parts) + 1)}


def scan(account, reeve, *options):
    account.add("clean", True)
    account.add("offender", True, True)
    return reeve("scan", *FIRST, "--framework", "cis-aws-v5.0.0", *options)


def test_json(account, reeve):
    tree = scan(account, reeve, "--format", "json").report["framework"]
    found = {one["id"]: one for one in tree}
    assert list(found) == sorted(one for one in Repository.open(CATALOG).sections if f"{one}/".startswith(f"{CIS}/"))
    for section, leaves in ((CIS, 63), (f"{CIS}/01", 21), (f"{CIS}/01/12", 1)):
        assert found[section]["verdict"] == "failed" and found[section]["leaves"] == leaves and found[section]["judged"] == 1
        assert found[section]["counts"] == {**{str(status): 0 for status in SHOWN_ORDER}, "INCOMPLIANT": 1, "COMPLIANT": 1}
    assert found[f"{CIS}/02"]["verdict"] == "not judged" and not found[f"{CIS}/02"]["policies"]


def test_terminal_shows_what_was_judged(account, reeve):
    run = scan(account, reeve)
    assert "1.12 Ensure there is only one active" in run.out and "2 Storage" not in run.out
    assert "62 of 63 sections have no policy that judged." in run.out
    assert max(map(len, run.out.splitlines())) <= 120


def test_html_shows_every_section(account, reeve):
    run = scan(account, reeve, "--format", "html")
    tree = run.out[run.out.index('class="tree"') :]
    assert tree.count("not judged") > 60 and '<td class="status bad">failed</td>' in tree


def test_a_section_and_an_unknown_one(account, reeve):
    account.add("clean", True)
    run = reeve("scan", *FIRST, "--framework", f"{CIS}/01/", "--format", "json")
    assert run.report["framework"][0]["id"] == f"{CIS}/01" and run.report["framework"][0]["verdict"] == "passed"
    run = reeve("scan", "--framework", "cis-aws-v9")
    assert run.code == 2 and "there is no framework 'cis-aws-v9'; there are" in run.err
    assert reeve("evaluate", "nowhere", "--framework", "cis-aws-v9").code == 2


def test_without_a_framework_there_is_no_tree(account, reeve):
    account.add("clean", True)
    assert reeve("scan", *FIRST, "--format", "json").report["framework"] is None
