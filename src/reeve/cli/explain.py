"""`reeve explain`: how one verdict came about."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import click

from reeve.cli.failures import UserError
from reeve.cli.options import debug_option, repository_option
from reeve.cli.working import one_policy, open_repository
from reeve.evaluate.citations import Citations, Origins
from reeve.evaluate.evidence import evidence_of
from reeve.evaluate.objects import Snapshot
from reeve.evaluate.observed import ObservedProgram
from reeve.evaluate.policy_tests import moment_of, object_row
from reeve.evaluate.trace import trace
from reeve.files import read_plain
from reeve.findings.details import origins
from reeve.inventory.directory import snapshot_directory
from reeve.inventory.storage import reading
from reeve.language.errors import nearest
from reeve.language.evaluation import Moment, Row
from reeve.language.json_texts import parse_json
from reeve.language.rows import object_id
from reeve.model import ObjectType
from reeve.report.streams import put
from reeve.report.trace import evidence_lines, lines
from reeve.repository.repository import Repository


@click.command("explain")
@click.argument("policy")
@click.argument("object_", metavar="OBJECT")
@repository_option
@click.option(
    "--snapshot",
    type=click.Path(path_type=Path),
    default=Path("reeve-out"),
    metavar="DIR",
    help="The snapshot that holds the object; default: reeve-out.",
)
@click.option("--logic", "logic_name", default="prod.logic.yaml", metavar="FILE", help="Another logic file of the policy.")
@debug_option
def command(policy: str, object_: str, repo: Path | None, snapshot: Path, logic_name: str, debug: bool) -> int:
    """Show how POLICY judges OBJECT: conditions in order, each part with its value.

    POLICY is an id or its end. OBJECT is the id or name of an object in the
    snapshot, a JSON file with one object or an array of them, or FILE#ID.

    \b
    Examples:
      reeve explain user-has-more-than-one-active-access-key ci-deploy
      reeve explain '*active-access-key' test-data.json#'no keys'
    """
    repository = open_repository(repo)
    chosen = one_policy(repository, policy)
    observed = ObservedProgram.of(repository.logic(chosen, logic_name).body)
    with reading(snapshot) as source:
        for name, where, row, moment, origin in _objects(repository, observed.object_type, object_, source):
            observation = observed.observe(row, moment)
            citations = Citations(repository.object_type, origin)
            put(f"{chosen} on {name}", *where)
            put(*lines(trace(observed, observation)))
            put(*evidence_lines(evidence_of(observed, observation, citations)))
    return 0


_Found = tuple[str, tuple[str, ...], Row, Moment, Origins]
"""An object's name, lines that tell it from others of that name, the object, when it is judged, and what says where it comes
from, and what it leads to."""


def _objects(repository: Repository, object_type: ObjectType, wanted: str, snapshot: Path) -> Iterator[_Found]:
    file, _, chosen = wanted.partition("#")
    if file.endswith(".json") and Path(file).is_file():
        yield from _from_file(Path(file), chosen)
        return
    directory = snapshot_directory(snapshot)
    names: list[str] = []
    found = False
    with Snapshot(directory, repository.object_type) as taken:
        for record, row in taken.rows(object_type):
            name = record.name(object_type) or ""
            identifier = str(record.fields[object_type.id_field])
            if wanted in (name, identifier):
                found = True
                where = f"  {identifier} · {record.region} · {record.account or 'unknown'}"
                yield name or identifier, (where,), row, taken.moment, origins(record, row)
            names.append(name)
    if not found:
        raise UserError(f"there is no {object_type.id} {wanted!r} in {directory}{nearest(wanted, names)}")


def _from_file(path: Path, chosen: str) -> Iterator[_Found]:
    try:
        data: Any = parse_json(read_plain(path).decode("utf-8-sig"))
    except ValueError as error:
        raise UserError(f"{path}: not JSON: {error}") from None
    items = cast("list[Any]", data) if isinstance(data, list) else [data]
    rows = [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]
    if len(rows) < len(items):
        raise UserError(f"{path}: expected a JSON object or an array of objects")
    ids = [object_id(row) or f"#{number + 1}" for number, row in enumerate(rows)]
    if chosen and chosen not in ids:
        raise UserError(f"{path} holds no object with the Id {chosen!r}{nearest(chosen, ids)}")
    for identifier, row in zip(ids, rows, strict=True):
        if chosen in ("", identifier):
            yield identifier, (), object_row(row), moment_of(row), lambda of: None
