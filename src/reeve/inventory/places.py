"""What an object's type says of its place: its full name, its page in the provider's console, the line that identifies it."""

from collections.abc import Mapping
from typing import Any

from reeve.language.templates import ARN, HOST, PLACE, filled
from reeve.model import ObjectType, Place


def arn_of(object_type: ObjectType, fields: Mapping[str, Any], account: str, region: str, partition: str) -> str | None:
    """Return an object's full name by its type's template; None where the type has none, or something in it is not known.

    Args:
        object_type: its type.
        fields: its fields; one that could not be read is not there, or `NotCollected`.
        account: the account's number, empty where it is not known.
        region: the region, or "global".
        partition: the partition, empty where it is not known.
    """
    if object_type.arn is None:
        return None
    return filled(object_type.arn, {**fields, **dict(zip(PLACE, (account, region, partition), strict=True))})


def console_of(object_type: ObjectType, fields: Mapping[str, Any], place: Place, host: str | None) -> str | None:
    """Return the address of an object's page in the console, at a host that the provider knows; None where it can't be made."""
    if object_type.console is None or host is None:
        return None
    where = dict(zip(PLACE, (place.account, place.region, place.partition), strict=True))
    return filled(object_type.console, {**fields, **where, ARN: place.arn, HOST: host}, encoded=True)


def summary_of(
    object_type: ObjectType, fields: Mapping[str, Any], account: str | None, region: str | None, arn: str | None
) -> str | None:
    """Return the line that tells an object from its like; None where its type has none, or something in it is not known.

    Args:
        object_type: its type.
        fields: its fields; one that could not be read is not there, or `NotCollected`.
        account: the account's number, if it is known.
        region: the region, or "global", if it is known.
        arn: the full name, if it is known.

    No partition is filled in: an object that leads to others doesn't say theirs.
    """
    if object_type.summary is None:
        return None
    return filled(object_type.summary, {**fields, **dict(zip(PLACE, (account, region, None), strict=True)), ARN: arn})
