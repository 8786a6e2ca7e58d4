"""Collects an account as its types declare: lists, then calls for each object, then what is listed for each object."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from reeve.collect.aws.api import ApiError, Failure
from reeve.collect.aws.expressions import ExpressionError, plain, search
from reeve.collect.aws.objects import Collected, now, reason_of, truthy
from reeve.collect.aws.provisional import suspects, without_item
from reeve.collect.aws.recipe import REGIONS, Recipe
from reeve.collect.aws.requests import Answer, Request, Requests
from reeve.collect.aws.unseen import Parent, Unseen
from reeve.collect.collection import Affects, Collection, Suspect
from reeve.inventory.records import Record
from reeve.model import Call, Source

NOT_ASKED = "not read: it is shown with what is INCOMPLIANT only"


@dataclass(slots=True)
class Collector:
    """One account being collected into `collection`; `home` is the region that its credentials start from."""

    recipes: Mapping[str, Recipe]
    requests: Requests
    collection: Collection
    home: str
    suspect: Mapping[str, Suspect]
    live: bool = False
    records: dict[str, list[tuple[str, Record]]] = field(default_factory=dict[str, list[tuple[str, Record]]])
    unseen: Unseen = field(default_factory=Unseen)
    _indexes: dict[tuple[str, str, str], Mapping[Any, Any]] = field(default_factory=dict[tuple[str, str, str], Any])
    _noted: set[str] = field(default_factory=set[str])
    _taken: set[tuple[str, Any]] = field(default_factory=set[tuple[str, Any]])

    def collect(self) -> None:
        """Read everything that the recipes say; what can't be read is noted, in the collection and in the records.

        Raises:
            ApiError: never; a refused call is noted.
        """
        for type_id, recipe in self.recipes.items():
            self.records[type_id] = []
            for source in recipe.collect.sources:
                if source.parent is None:
                    self._start(recipe, source)
        self.requests.run()
        ids = {
            name: {one.fields.get(self.recipes[name].object_type.id_field) for _, one in found}
            for name, found in self.records.items()
        }
        for name, found in self.records.items():
            for _, one in found:
                self.unseen.of(name, one)
        for name, found in self.records.items():
            own = self.recipes[name].object_type
            self.collection.records[name] = [self.unseen.marked(own, region, one, ids) for region, one in found]

    # Lists -----------------------------------------------------------------------------------------------------------

    def _start(self, recipe: Recipe, source: Source) -> None:
        if not recipe.collect.regional:
            self._list(recipe, source, self.home)
            return

        def in_each(answer: Answer) -> None:
            if answer.error is not None:
                error = self._note(
                    REGIONS.name, answer.error, REGIONS, "the list of regions", self._whole(recipe.object_type.id)
                )
                self.unseen.in_region(recipe.object_type.id, None, reason_of(error))
            names = {str(region["RegionName"]) for page in answer.pages for region in page.get("Regions", ())}
            for region in sorted(names or {self.home}):
                self._list(recipe, source, region)

        self.requests.ask(Request(REGIONS.service, REGIONS.operation, self.home, {}), in_each)

    def _base(self, region: str, parent: Parent | None = None) -> dict[str, Any]:
        own = {"_account": self.collection.account, "_partition": self.collection.partition, "_region": region}
        return own if parent is None else {**own, "_parent": parent.fields}

    def _list(self, recipe: Recipe, source: Source, region: str, parent: Parent | None = None) -> None:
        """Have one list read: of a region, or for a parent."""
        base, call = self._base(region, parent), source.call
        try:
            if source.when and not truthy(search(source.when, base)):
                return
            if call is None:
                self._items(recipe, source, region, base, Answer(({},), now()), recipe.object_type.id)
                return
            request = self._request(call, region, base)
        except ExpressionError as error:
            self._unread(recipe, call or REGIONS, recipe.object_type.id, region, parent, _odd(recipe.object_type.id, error))
            return

        def listed(answer: Answer) -> None:
            if answer.error is not None:
                self._unread(recipe, call, request.key, region, parent, answer.error)
            try:
                self._items(recipe, source, region, base, answer, call.name)
            except ExpressionError as error:
                self._unread(recipe, call, request.key, region, parent, _odd(call.name, error))

        provisional = recipe.collect.provisional
        if provisional and provisional.call in recipe.calls and not self.live:
            # Asked for at once, beside the list, and waited for first: it may name objects that the list no longer does.
            self.requests.ask(request, lambda answer: None)
            report = self._request(recipe.collect.calls[provisional.call], region, base)
            self.requests.ask(
                report,
                lambda found: self.requests.ask(
                    request, lambda answer: self._with_report(recipe, region, found, answer, listed)
                ),
            )
            return
        self.requests.ask(request, listed)

    def _unread(self, recipe: Recipe, call: Call, key: str, region: str, parent: Parent | None, error: ApiError) -> None:
        """Note that a list could not be read, or not to its end."""
        own = recipe.object_type
        what = f"{own.name} in {region}" if recipe.collect.regional else own.name
        reason = reason_of(self._note(key, error, call, f"the list of {what}", self._whole(own.id)))
        if parent is None:
            self.unseen.in_region(own.id, region if recipe.collect.regional else None, reason)
        else:
            self.unseen.below(own.id, parent, reason)

    def _request(self, call: Call, region: str, context: Mapping[str, Any]) -> Request:
        given = {name: search(text, context) for name, text in call.arguments.items()}
        return Request(
            call.service, call.operation, region, {name: value for name, value in given.items() if value is not None}
        )

    def _items(self, recipe: Recipe, source: Source, region: str, base: Mapping[str, Any], answer: Answer, listed: str) -> None:
        for page in answer.pages:
            for item in search(source.items, {**page, **base}) or ():
                if source.where and not truthy(search(source.where, {**_named(item), **base})):
                    continue
                self._begin(recipe, region, base, item, listed, answer)

    def _with_report(
        self, recipe: Recipe, region: str, report: Answer, answer: Answer, listed: Callable[[Answer], None]
    ) -> None:
        """Take a list beside a report on the same objects: who is in the report only is gone, if the list is whole."""
        if report.error is not None:
            self.collection.notes.append("the credential report could not be read; every user was read live")
        listed(answer)
        base, source = self._base(region), recipe.collect.sources[0]
        name = source.call.name if source.call else recipe.object_type.id
        for item in without_item(recipe, report, answer, base):
            self._begin(recipe, region, base, item, name, answer, gone=answer.error is None)

    # Objects ---------------------------------------------------------------------------------------------------------

    def _begin(
        self, recipe: Recipe, region: str, base: Mapping[str, Any], item: Any, listed: str, answer: Answer, gone: bool = False
    ) -> None:
        context = {**_named(item), **base}
        if recipe.collect.region:
            region = str(search(recipe.collect.region, context) or region)
            context["_region"] = region
        found = Collected(recipe, region, context, listed, answer.at)
        found.pending = set() if gone else set(recipe.calls - recipe.confirming)
        found.provisional = bool(recipe.confirming)
        found.gone_at = answer.at if gone else None
        self._advance(found)

    def _advance(self, one: Collected) -> None:
        """Make the calls of an object that can be made; when none is left, it is finished."""
        one.advancing = True
        while (name := one.next_call()) is not None:
            one.pending.discard(name)
            call = one.recipe.collect.calls[name]
            broken = one.broken(name)
            if broken is not None:
                one.failed(name, broken)
            elif self.live and one.provisional and one.is_provisional(name):
                one.context[name] = None
            else:
                self._ask(one, name, call)
        one.advancing = False
        if not one.open and not one.pending:
            self._finish(one)

    def _ask(self, one: Collected, name: str, call: Call) -> None:
        """Have a call for an object made, unless its declaration says that it is not for this one."""
        try:
            if call.when and not truthy(search(call.when, one.context)):
                one.context[name] = None
                return
            request = self._request(call, one.region, one.context)
        except ExpressionError as error:
            noted = self._note(call.name, _odd(call.name, error), call, one.name, one.recipe.affects(name))
            one.failed(name, reason_of(noted))
            return
        one.open.add(name)
        self.requests.ask(request, lambda answer: self._answered(one, name, request.key, answer))

    def _answered(self, one: Collected, name: str, key: str, answer: Answer) -> None:
        one.open.discard(name)
        call, error = one.recipe.collect.calls[name], answer.error
        if error is not None and _matches(error, call.absent):
            one.answered(name, None, answer.at)
        elif error is not None and _matches(error, one.recipe.collect.gone):
            one.gone_at = one.gone_at or answer.at
            one.pending.clear()
        elif error is not None:
            subject = f"the answer of {call.name}" if call.match else one.name
            one.failed(name, reason_of(self._note(key, error, call, subject, one.recipe.affects(name))))
        elif call.match:
            self._joined(one, name, key, call, answer)
        else:
            one.answered(name, answer.whole(), answer.at)
        if not one.advancing:  # an answer that was known is looked at where it was asked for
            self._advance(one)

    def _joined(self, one: Collected, name: str, key: str, call: Call, answer: Answer) -> None:
        """Take the one item of a list that is about the object."""
        theirs, own = call.match or ("", "")
        if (key, call.items or "", theirs) not in self._indexes:
            items = search(call.items or "@", answer.whole()) or ()
            self._indexes[key, call.items or "", theirs] = {search(theirs, item): item for item in items}
        item = self._indexes[key, call.items or "", theirs].get(search(own, one.context))
        if item is None and not one.is_provisional(name):
            one.failed(name, f"{call.name} doesn't list it")
        else:
            one.answered(name, item, answer.at)

    def _finish(self, one: Collected) -> None:
        own = one.recipe.object_type
        suspect = self.suspect.get(own.id)
        if one.provisional and one.gone_at is None:
            one.provisional = False
            wanted = suspects(one, suspect)
            one.hints = {name for name in one.recipe.needed if own.fields[name].hint} - wanted
            one.pending = set(one.recipe.calls_for(wanted) & one.recipe.confirming) - one.context.keys()
            if one.pending:
                self._advance(one)
                return
        record = one.record()
        if self._is_repeated(one.recipe, record):
            return
        self.records[own.id].append((one.region, record))
        if one.gone_at is not None:
            return
        below = [
            (recipe, source) for recipe in self.recipes.values() for source in recipe.collect.sources if source.parent == own.id
        ]
        if not below:
            return
        parent = Parent(own.id, record.fields.get(own.id_field), one.region, plain(dict(record.fields)))
        offends = suspect(record.fields) if suspect and any(source.for_suspects for _, source in below) else frozenset[str]()
        for recipe, source in below:
            self._list_below(recipe, source, parent, offends, one.recipe)

    def _is_repeated(self, recipe: Recipe, record: Record) -> bool:
        """Return whether an object is known from the list of another region; its calls were the same requests."""
        identifier = record.fields.get(recipe.object_type.id_field)
        if identifier is None or not any(source.repeated for source in recipe.collect.sources):
            return False
        key = (recipe.object_type.id, identifier)
        known = key in self._taken
        self._taken.add(key)
        return known

    def _list_below(self, recipe: Recipe, source: Source, parent: Parent, offends: frozenset[str], above: Recipe) -> None:
        """Have a list for an object read, unless it is only for what is INCOMPLIANT and no policy reads it."""
        relations = above.object_type.related_lists
        read = any(relations[name].type == recipe.object_type.id for name in above.lists)
        if source.for_suspects and not read and not offends.intersection(source.for_suspects):
            self.unseen.below(recipe.object_type.id, parent, NOT_ASKED)
            return
        self._list(recipe, source, parent.region, parent)

    def _whole(self, type_id: str) -> Affects:
        """Return what is not seen when objects of a type are not: they, and what is listed for them."""
        found, pending = set[str](), [type_id]
        while pending:
            found.add(pending[-1])
            above = pending.pop()
            pending += [
                name
                for name, recipe in self.recipes.items()
                if name not in found and any(source.parent == above for source in recipe.collect.sources)
            ]
        return dict.fromkeys(sorted(found), ())

    # What fails ------------------------------------------------------------------------------------------------------

    def _note(self, key: str, error: ApiError, call: Call, subject: str, affects: Affects) -> ApiError:
        """Note a failed request, once however many objects wait for it; return the error with the actions that it asks for."""
        one_request = error.call == call.name and len(call.permissions) == 1
        found = replace(error, actions=call.permissions) if one_request else error
        if key not in self._noted:
            self._noted.add(key)
            self.collection.failed(found.about(subject, affects))
        else:
            self.collection.affected(found.call, found.code, affects)
        return found


def _named(item: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", item) if isinstance(item, Mapping) else {"_item": item}


def _odd(call: str, error: ExpressionError) -> ApiError:
    return ApiError(call, Failure.OTHER, "UnexpectedAnswer", str(error))


def _matches(error: ApiError, codes: Iterable[str]) -> bool:
    pairs = (declared.partition(": ") for declared in codes)
    return any(error.code == code and words.casefold() in error.message.casefold() for code, _, words in pairs)
