"""`reeve site`: the documentation site of a policy repository."""

import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reeve.cli.failures import UserError, telling_what_was_written
from reeve.cli.options import Decorator, debug_option, repository_option, together
from reeve.cli.working import open_repository, progress
from reeve.inventory.manifest import SnapshotError
from reeve.language.errors import InvalidRepositoryError
from reeve.report.streams import flush_streams, put, say
from reeve.repository.repository import Repository

if TYPE_CHECKING:
    from reeve.findings.results import Results
    from reeve.site.build import Built, Options


@click.group("site")
def command() -> None:
    """Build the documentation site of a policy repository, or serve it.

    \b
    Examples:
      reeve site build --out site --results reeve-out
      reeve site serve --repo ~/policies
    """


site_options: Decorator = together(
    repository_option,
    click.option(
        "--results",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Show the last scan beside the catalogue: the directory that `reeve scan --out` or `reeve collect --out` wrote.",
    ),
    click.option("--source-url", metavar="URL", help="Where the repository's files can be opened, for the links `Open File`."),
    click.option("--quiet", "-q", is_flag=True, help="No progress, and no closing line."),
    debug_option,
)


@command.command("build")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where the site goes.")
@click.option("--address", default="http://127.0.0.1:8000", metavar="URL", help="Where the site will be; for its sitemap.")
@site_options
def build_command(
    out: Path, address: str, repo: Path | None, results: Path | None, source_url: str | None, quiet: bool, debug: bool
) -> int:
    """Build a static site: a page for every policy, folder, section, rule and type.

    Only pages that have changed since the last build into DIR are written.

    \b
    Examples:
      reeve site build --out site
      reeve site build --out site --results reeve-out
      reeve site build --out site --source-url https://example.com/policies/blob/main
    """
    with telling_what_was_written(None):
        from reeve.inventory.stores import is_address, shown
        from reeve.site.build import Options

        if is_address(out):
            raise UserError(f"a site is built in a directory, not at {shown(out)}; copy it there when it is built")
        built = _build(repo, results, out, Options(source_url, address), quiet)
    if not quiet:
        put(f"{built.pages} pages in {out}: {built.written} written, {built.removed} removed")
    return 0


@command.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, metavar="N", help="The port on 127.0.0.1; 0 takes any.")
@site_options
def serve_command(port: int, repo: Path | None, results: Path | None, source_url: str | None, quiet: bool, debug: bool) -> int:
    """Serve the site on this machine; pages reload when a file of the repository changes.

    \b
    Examples:
      reeve site serve
      reeve site serve --repo ~/policies --results reeve-out
    """
    from reeve.cli.watching import changes
    from reeve.site.build import Options
    from reeve.site.serve import serving

    root = open_repository(repo).files.root
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="reeve-site-"))
        out, options = Path(directory) / "site", Options(source_url, live=True)
        changed = changes(root)
        _build(repo, results, out, options, quiet)
        try:
            server = stack.enter_context(serving(out, port))
        except OSError as error:
            raise UserError(f"can't listen on port {port}: {(error.strerror or '').lower()}; choose another --port") from None
        try:
            put(f"{server.address} (Ctrl-C ends it)")
            flush_streams()
            for _ in changed:
                if _rebuilt(lambda: _build(repo, results, out, options, True)):
                    server.version += 1
        except KeyboardInterrupt:
            return 0
    return 0


def _rebuilt(build: "Callable[[], Built]") -> bool:
    """Build again; what is wrong with the repository is said, and the old pages stay."""
    try:
        build()
    except InvalidRepositoryError as error:
        for problem in error.problems:
            say(str(problem))
        return False
    except (UserError, SnapshotError) as error:
        say(str(error))
        return False
    except (OSError, LookupError) as error:  # a file that went away, or is half written, while it was read
        say(f"not built again, as a file changed meanwhile: {error}; the next change builds it")
        return False
    return True


def _build(repo: Path | None, results: Path | None, out: Path, options: "Options", quiet: bool) -> "Built":
    from reeve.site.build import SiteError, build
    from reeve.site.catalogue import Catalogue

    repository = open_repository(repo)
    with progress(quiet) as tell, ExitStack() as stack:
        judged = stack.enter_context(_kept(repository, results)) if results is not None else None
        tell("reading the repository", 0, None)
        try:
            return build(Catalogue(repository, judged), out, options, tell)
        except SiteError as error:
            raise UserError(str(error)) from None


@contextmanager
def _kept(repository: Repository, directory: Path) -> "Generator[Results]":
    """Open the results that a scan or an evaluation left in a directory, of the policies that are still what they were."""
    from reeve.evaluate.fingerprints import fingerprint
    from reeve.evaluate.objects import Snapshot
    from reeve.evaluate.outcomes import Outcomes
    from reeve.findings.completeness import completeness
    from reeve.findings.judged import results_of
    from reeve.findings.scan import production_programs
    from reeve.inventory.directory import OUTCOMES_FOLDER, snapshot_directory
    from reeve.inventory.storage import reading

    with ExitStack() as stack:
        source = stack.enter_context(reading(directory))
        outcomes = stack.enter_context(Outcomes.read(source / OUTCOMES_FOLDER))
        lies = snapshot_directory(source)
        if lies == source:
            lies = snapshot_directory(stack.enter_context(reading(outcomes.snapshot)))
        snapshot = stack.enter_context(Snapshot(lies, repository.object_type))
        outcomes.check_snapshot(snapshot)
        known = [policy for policy in outcomes.policies if policy in repository.policies]
        programs = production_programs(repository, known)
        same = {
            name: program
            for name, program in programs.items()
            if outcomes.fingerprint(name) == fingerprint(program, repository.object_type, snapshot.moment)
        }
        if changed := len(outcomes.policies) - len(same):
            say(
                f"{directory}: {changed} of its policies are not what they were when they judged; `reeve evaluate` judges again"
            )
        yield results_of(repository, same, snapshot, outcomes, completeness(snapshot.manifest, same, repository))
