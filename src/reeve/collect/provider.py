"""What a provider of APIs is, and the one place where providers are found: each is a folder beside this module.

The first part of a type's id names it: `PROVIDER` in `reeve/collect/ID/provider.py` collects the types `ID.…`.
"""

import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import import_module
from typing import Any, Protocol

import reeve.collect
from reeve.collect.collection import Collection, Progress, Suspect
from reeve.collect.recipe import Recipe
from reeve.language.errors import nearest, one_of
from reeve.language.logic import Body
from reeve.model import ObjectType
from reeve.repository.remedies import CheckRemedies, Remedies
from reeve.repository.type_checks import CheckCollect, Finding

_ID = re.compile(r"[a-z][a-z0-9]*")


class UnknownProviderError(LookupError):
    """A type is of no provider that is there; the message says which there are."""


class AccessError(Exception):
    """A provider is asked for what it has nothing like; the message says what."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulated account: of which provider, and the address that answers in the place of the provider's own."""

    provider: str
    address: str


@dataclass(frozen=True, slots=True)
class Access:
    """How an account is to be opened and read, as whoever runs the command says.

    `profile` is a set of the user's settings by the name that the provider's own tools know it by, `region` where to start
    from. `live` asks for no report that may be stale. A provider refuses what it has nothing like.
    """

    profile: str | None = None
    region: str | None = None
    live: bool = False
    simulation: Simulation | None = None

    def refuse_other_than(self, label: str, *known: str) -> None:
        """Refuse what a provider has nothing like.

        Args:
            label: the provider's name.
            known: the names of the attributes that it heeds.

        Raises:
            AccessError: another one is given.
        """
        unknown = next((one.name for one in fields(self) if one.name not in known and getattr(self, one.name)), None)
        if unknown == "simulation":
            raise AccessError(f"there is no simulated account of {label}")
        if unknown is not None:
            raise AccessError(f"{label} knows no --{unknown}; leave it out, or choose other policies with --policy")


@dataclass(frozen=True, slots=True)
class Checks:
    """A provider's checks of what repositories declare for it. They may share what they load."""

    collect: CheckCollect
    remedies: CheckRemedies


@dataclass(frozen=True, slots=True)
class Permissions:
    """The least permissions that collecting needs: their names, and the document that grants them, as JSON."""

    names: tuple[str, ...]
    document: Any


class Account(Protocol):
    """An account whose APIs are open."""

    def checks(self) -> Checks:
        """Return the checks of declarations; they may share what the account has loaded."""
        ...

    def collect(self, recipes: Mapping[str, Recipe], suspect: Mapping[str, Suspect], progress: Progress) -> Collection:
        """Collect the account.

        Args:
            recipes: what to collect, by type; all of this provider.
            suspect: by type, which fields make an object INCOMPLIANT.
            progress: told what is being read.

        Returns:
            The collection, its calls counted. A call that fails is noted in it.

        Raises:
            ApiError: nothing can be read: the credentials are refused, or nothing can be reached.
        """
        ...


class Provider(Protocol):
    """What `PROVIDER` of a provider's module `provider` is. Importing it, and its label, load no library of the provider."""

    @property
    def label(self) -> str:
        """What people call it, in titles."""
        ...

    def open(self, access: Access) -> Account:
        """Open an account.

        Raises:
            AccessError: the access says what the provider has nothing like.
            ApiError: there are no credentials, or nothing can be reached.
        """
        ...

    def checks(self) -> Checks:
        """Return the checks of declarations, for which no account is needed."""
        ...

    def permissions(self, recipes: Iterable[Recipe]) -> Permissions:
        """Return the least permissions that collecting needs.

        Raises:
            AccessError: the provider has no permissions that could be told apart.
        """
        ...

    def console_host(self, partition: str) -> str | None:
        """Return the host of the console in a partition; None where none is known. Never taken from an answer."""
        ...


def provider_ids() -> tuple[str, ...]:
    """Return the ids of the providers that are there, in order. None is imported."""
    return _folders_of(tuple(reeve.collect.__path__))


@cache
def _folders_of(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({one.name for one in pkgutil.iter_modules(path) if one.ispkg and _ID.fullmatch(one.name)}))


def provider(provider_id: str) -> Provider:
    """Return a provider by its id, the first part of the ids of its types.

    Raises:
        UnknownProviderError: there is none of that id.
    """
    known = provider_ids()
    if provider_id not in known:
        hint = nearest(provider_id, known) or f"; expected one of {one_of(known)}"
        raise UnknownProviderError(f"there is no provider {provider_id!r}{hint}")
    return import_module(f"reeve.collect.{provider_id}.provider").PROVIDER


def provider_id_of(type_id: str) -> str:
    """Return the id of the provider of a type."""
    return type_id.partition(".")[0]


def label_of(provider_id: str) -> str:
    """Return what people call a provider; of one that is not there, which a snapshot may name, its id."""
    return provider(provider_id).label if provider_id in provider_ids() else provider_id


def console_host(provider_id: str, partition: str) -> str | None:
    """Return the host of a provider's console in a partition; None where none is known."""
    return provider(provider_id).console_host(partition) if provider_id in provider_ids() else None


@dataclass(frozen=True, slots=True)
class Declarations:
    """Checks declarations of all providers, each by its own; those that are not given are made at their first use."""

    _checks: dict[str, Checks] = field(default_factory=dict[str, Checks])

    def _of(self, type_id: str) -> Checks:
        name = provider_id_of(type_id)
        if name not in self._checks:
            self._checks[name] = provider(name).checks()
        return self._checks[name]

    def check_collect(self, own: ObjectType, declared: Callable[[str], ObjectType]) -> Sequence[Finding]:
        """Return what is wrong with how a type is collected; a `CheckCollect`."""
        if own.collect is None:
            return ()
        for number, source in enumerate(own.collect.sources):
            if source.parent is not None and provider_id_of(source.parent) != provider_id_of(own.id):
                message = f"{source.parent} is of another provider; objects are listed for those of their own"
                return (Finding(("collect", "sources", number, "of"), message),)
        try:
            return tuple(self._of(own.id).collect(own, declared))
        except UnknownProviderError as error:
            return (Finding(("collect",), f"the id of a type begins with its provider's: {error}"),)

    def check_remedies(self, remedies: Remedies, body: Body, declared: Callable[[str], ObjectType]) -> Sequence[Finding]:
        """Return what is wrong with the commands of a policy's remedies; a `CheckRemedies`."""
        own = body.object_type
        try:
            return tuple(self._of(own.id).remedies(remedies, body, declared)) if remedies else ()
        except UnknownProviderError as error:
            commanding = (number for number, one in enumerate(remedies) if one.commands and own.collect is None)
            return [Finding((number,), f"the commands can't be checked: {error}") for number in commanding]
