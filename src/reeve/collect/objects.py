"""One object that is being collected: what was read of it, what failed, and the record that comes of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from reeve.collect.answers import find, lacking
from reeve.collect.expressions import ExpressionError, search, typed
from reeve.collect.recipe import Recipe
from reeve.inventory.places import arn_of
from reeve.inventory.records import Record
from reeve.language.times import parse_date_time
from reeve.language.types import NAMED
from reeve.model import Call, Field

UNNEEDED = "not read: no policy that the snapshot was collected for needs it; collect again, for the policies that do"


def truthy(value: Any) -> bool:
    """Return whether a value counts as true in JMESPath."""
    return value is not None and value is not False and value != "" and value != [] and value != {}


@dataclass(slots=True)
class Collected:
    """An object while it is collected.

    `region` is where it is asked about, `place` the region that it is in, "global" where the API has none or doesn't say it.
    `context` is what its expressions see, `listed` the call that listed it. `pending` calls are yet to be made, `open` ones
    under way, `made` ones answered; `failures` are the reasons why names that expressions read are not known: calls that
    failed, the account, a parent's fields, members that a stand-in lacks. `hints` are the fields that keep their provisional
    value; an object that only the report names `stands_in` for one that a list would name.
    `lacks` are the members that answers lack, with the call (None: what listed it).
    """

    recipe: Recipe
    region: str
    place: str
    context: dict[str, Any]
    listed: str
    as_of: datetime
    pending: set[str] = field(default_factory=set[str])
    open: set[str] = field(default_factory=set[str])
    made: list[str] = field(default_factory=list[str])
    failures: dict[str, str] = field(default_factory=dict[str, str])
    hints: set[str] = field(default_factory=set[str])
    lacks: dict[str, Call | None] = field(default_factory=dict[str, Call | None])
    provisional: bool = False
    stands_in: bool = False
    advancing: bool = False
    gone_at: datetime | None = None

    @property
    def name(self) -> str:
        """What a person knows the object by."""
        field_name = self.recipe.object_type.name_field
        return str(self.fields((field_name,), ())[0].get(field_name))

    def is_provisional(self, call: str) -> bool:
        """Return whether a call is the one that gives provisional values."""
        provisional = self.recipe.collect.provisional
        return provisional is not None and provisional.call == call

    def next_call(self) -> str | None:
        """Return a pending call all of whose earlier calls are answered, if there is one."""
        waiting = self.pending | self.open
        return next((name for name in sorted(self.pending) if not self.recipe.earlier[name] & waiting), None)

    def broken(self, name: str) -> str | None:
        """Return why a call can't be made: an earlier one failed, or something else that it is asked with is not known."""
        return next((self.failures[call] for call in sorted(self.recipe.earlier[name]) if call in self.failures), None)

    def answered(self, name: str, value: Any, at: datetime) -> None:
        """Take a call's answer; null when nothing is configured."""
        call = self.recipe.collect.calls[name].name
        if call not in self.made:
            self.made.append(call)
        self.context[name] = value
        self.as_of = min(self.as_of, at)

    def failed(self, name: str, reason: str) -> None:
        """Note that a call failed."""
        self.failures[name], self.context[name] = reason, None

    def hint_of(self, declared: Field) -> Any:
        """Return the provisional value of a field; null if there is none.

        Raises:
            ExpressionError: the report doesn't say it, or not in a form that is known.
        """
        return typed(NAMED[declared.type], find(declared.hint or "null", self.context, self.recipe.optional))

    def fields(self, names: Iterable[str], hinted: Iterable[str]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return values of fields by name, and the reasons for those that could not be read."""
        values: dict[str, Any] = {}
        reasons: dict[str, str] = {}
        by_hint = set(hinted)
        for name in names:
            declared = self.recipe.object_type.fields[name]
            by_report = name in by_hint
            reason = None if by_report else self._unread(declared) or self._lacking(declared)
            if reason is None:
                try:
                    values[name] = self.hint_of(declared) if by_report else typed(NAMED[declared.type], self._value(declared))
                except ExpressionError as error:
                    reason = f"the answer can't be understood: {error}"
            if reason is not None:
                reasons[name] = reason
        return values, reasons

    def _lacking(self, declared: Field) -> str | None:
        """Return why an answer doesn't say what a field is: it lacks a member that is always sent."""
        if declared.source is None or self.gone_at is not None:
            return None
        name = lacking(declared.source, self.context, self.recipe.optional)
        if name is None:
            return None
        call = self.recipe.collect.calls.get(name.partition(".")[0])
        if declared.name in self.recipe.needed:
            self.lacks[name] = call
        return f"{call.name if call else self.listed} answered without {name}"

    def _value(self, declared: Field) -> Any:
        if declared.source is not None:
            return search(declared.source, self.context)
        gone = declared.name == self.recipe.object_type.disappearance_field and self.gone_at is not None
        return self.gone_at.isoformat() if gone and self.gone_at else None

    def _unread(self, declared: Field) -> str | None:
        uses = self.recipe.uses[declared.name]
        if self.failures:
            found = sorted(self.recipe.reads[declared.name] & self.failures.keys())
            if found:
                return self.failures[found[0]]
        if self.gone_at is not None:
            return f"the object was gone at {self.gone_at:%Y-%m-%d %H:%M:%S} UTC" if uses else None
        return None if all(call in self.context for call in uses) else UNNEEDED

    def record(self) -> Record:
        """Return the record of an object of which everything has been read that will be."""
        values, reasons = self.fields(self.recipe.object_type.fields, self.hints if self.gone_at is None else ())
        provisional = self.recipe.collect.provisional
        as_of, made = self.as_of, [name for name in self.made if not provisional or name != self._name(provisional.call)]
        if self.gone_at is not None:
            as_of, made = self.gone_at, []
        elif provisional and (self.hints or self.stands_in):
            made.append(self._name(provisional.call))
            as_of = self.report_time() or as_of
        account, partition = self.context["_account"], self.context["_partition"]
        arn = arn_of(self.recipe.object_type, values, account, self.place, partition)
        return Record(values, account, self.place, arn, as_of, ", ".join(made) or self.listed, reasons)

    def report_time(self) -> datetime | None:
        """Return when the provisional values were so."""
        provisional = self.recipe.collect.provisional
        row = self.context.get(provisional.call) if provisional else None
        return parse_date_time(row["generated_at"]) if row else None

    def _name(self, call: str) -> str:
        return self.recipe.collect.calls[call].name


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)
