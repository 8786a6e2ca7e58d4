"""The command `reeve`. Each command is a module here, imported when it is used."""

import sys
from importlib import import_module

import click

from reeve import __version__
from reeve.cli.failures import end_when_told, failing_well
from reeve.report.streams import flush_streams, open_streams

COMMANDS = {
    "scan": "Collect an account, judge it, and report.",
    "collect": "Collect an account into a snapshot.",
    "evaluate": "Judge a snapshot, and report.",
    "test": "Run the policies' test data.",
    "validate": "Say all that is wrong with a policy repository.",
    "explain": "Show how one verdict came about.",
    "policy": "List the policies, or show one.",
    "framework": "List the frameworks, or show the sections of one.",
    "site": "Build the documentation site, or serve it.",
    "permissions": "Print the least IAM policy that a scan needs.",
    "schema": "Print JSON Schemas of a repository's files.",
}
"""The commands with their one-line help, so that listing them imports none."""


class Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        return getattr(import_module(f"reeve.cli.{cmd_name}"), "command")  # noqa: B009 - a name each module has

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog='Shell completion: eval "$(_REEVE_COMPLETE=bash_source reeve)", or zsh_source, or fish_source.',
)
@click.version_option(__version__, message="%(version)s")
def reeve() -> None:
    """Judge a cloud account against policies: what is wrong, where, why, and how to mend it.

    \b
    Examples:
      reeve scan --demo
      reeve scan --profile audit --out reeve-out --format terminal,json,html
      reeve scan --format json | jq '.findings[] | [.status, .name]'

    \b
    Exit codes: 0 all well; 1 something INCOMPLIANT; 2 wrong use or an invalid
    repository; 3 nothing INCOMPLIANT, but something that a selected policy needs
    could not be read or decided; 130 interrupted, 143 terminated.
    """


def main() -> None:
    """Run the command and end the process with its exit code."""
    open_streams()
    end_when_told()
    code = failing_well(lambda: reeve.main(standalone_mode=False, prog_name="reeve"), debug="--debug" in sys.argv)
    flush_streams()
    sys.exit(code)
