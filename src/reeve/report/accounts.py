"""How accounts are named to people: by number, as two may have one name, with the name beside it."""

from reeve.collect.provider import label_of
from reeve.inventory.manifest import Part


def account_text(account: str, name: str | None) -> str:
    """Return an account's number, "unknown" where it could not be read, with its name if it has one."""
    return f"{account or 'unknown'}{f' ({name})' if name else ''}"


def account_title(part: Part) -> str:
    """Return what a report says first of an account: whose it is, its number and its name."""
    return f"{label_of(part.provider)} account {account_text(part.account, part.account_name)}"
