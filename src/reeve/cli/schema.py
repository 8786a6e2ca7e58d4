"""`reeve schema`: JSON Schemas of a repository's files, for editors."""

import json
from pathlib import Path

import click

from reeve.cli.failures import UserError
from reeve.cli.options import debug_option
from reeve.cli.working import operations
from reeve.inventory.stores import is_address, shown
from reeve.report.streams import put, put_json
from reeve.repository.schemas import KINDS, schema_of


@click.command("schema")
@click.argument("kind", required=False, type=click.Choice(list(KINDS)))
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write the schemas of all kinds into DIR.")
@click.option("--vscode", is_flag=True, help="With --out: print the settings that tell VS Code of them.")
@debug_option
def command(kind: str | None, out: Path | None, vscode: bool, debug: bool) -> int:
    """Print the JSON Schema of a KIND of file, or write all of them.

    \b
    Examples:
      reeve schema logic
      reeve schema --out .vscode/reeve --vscode > .vscode/settings.json
    """
    if kind is None and out is None:
        put(*(f"{name:<14} {pattern}" for name, pattern in KINDS.items()))
        return 0
    if kind is not None:
        put_json(schema_of(kind, operations()))
        return 0
    directory = out or Path()
    if is_address(directory):
        raise UserError(
            f"schemas are written into a directory, not to {shown(directory)}; copy them there when they are written"
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name in KINDS:
            text = json.dumps(schema_of(name, operations()), indent=2, ensure_ascii=False) + "\n"
            (directory / f"{name}.schema.json").write_text(text, "utf-8")
    except OSError as error:
        raise UserError(f"can't write to {directory}: {(error.strerror or '').lower()}; choose another --out") from None
    if vscode:
        put_json(_settings(directory))
    return 0


def _settings(directory: Path) -> dict[str, object]:
    """Return VS Code's settings: the YAML extension's and its own for JSON."""
    yaml = {f"./{directory}/{name}.schema.json": pattern for name, pattern in KINDS.items() if name != "test-data"}
    json_schemas = [{"fileMatch": [KINDS["test-data"]], "url": f"./{directory}/test-data.schema.json"}]
    return {"yaml.schemas": yaml, "json.schemas": json_schemas}
