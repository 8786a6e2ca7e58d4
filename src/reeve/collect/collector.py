"""Collects an account as its types declare: lists, then calls for each object, then what is listed for each object."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from reeve.collect.answers import find, find_items, find_list
from reeve.collect.collection import Collection, Suspect
from reeve.collect.expressions import ExpressionError, as_json, items_of, key_of, search
from reeve.collect.failures import ApiError, Failure, one_line
from reeve.collect.noting import Notes, odd
from reeve.collect.objects import Collected, now, truthy
from reeve.collect.provisional import missing, suspects, undoubted, without_item
from reeve.collect.recipe import Recipe
from reeve.collect.regions import Regions
from reeve.collect.requests import Answer, Request, Requests
from reeve.collect.unseen import Parent, Unseen
from reeve.inventory.records import GLOBAL, Record
from reeve.language.query_reads import PARENT, Path
from reeve.language.values import describe
from reeve.model import Call, Source

NONE = frozenset[Path]()
NOT_ASKED = "not read: it is shown with what is INCOMPLIANT only"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list being read: of what, where, for which parent; `base` is what its expressions see beside the answer, `unknown` why
    some of that is not known."""

    recipe: Recipe
    source: Source
    region: str
    base: Mapping[str, Any]
    unknown: Mapping[str, str]
    parent: Parent | None = None

    @property
    def call(self) -> str:
        """The call that lists, or the type, where the list is a part of the parent."""
        return self.source.call.name if self.source.call else self.recipe.object_type.id


@dataclass(slots=True)
class Collector:
    """One account being collected into `collection`; `home` is the region that its credentials start from,
    `regions` where those are listed in which it has regional objects; None of a provider without regions.

    `unknown` says why `_account` or `_partition` is not known, if so.
    """

    recipes: Mapping[str, Recipe]
    requests: Requests
    collection: Collection
    home: str
    regions: Regions | None
    suspect: Mapping[str, Suspect]
    live: bool = False
    unknown: Mapping[str, str] = field(default_factory=dict[str, str])
    records: dict[str, list[Record]] = field(default_factory=dict[str, list[Record]])
    unseen: Unseen = field(default_factory=Unseen)
    notes: Notes = field(init=False)
    _indexes: dict[tuple[str, str, str], Mapping[Any, Any]] = field(default_factory=dict[tuple[str, str, str], Any])
    _taken: set[tuple[str, Any]] = field(default_factory=set[tuple[str, Any]])

    def __post_init__(self) -> None:
        """Begin with nothing noted."""
        self.notes = Notes(self.recipes, self.collection)

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
        types = {name: self.recipes[name].object_type for name in self.records}
        ids = {name: {one.fields.get(types[name].id_field) for one in found} for name, found in self.records.items()}
        for name, found in self.records.items():
            for one in found:
                self.unseen.of(name, one)
        for name, found in self.records.items():
            self.collection.records[name] = [self.unseen.marked(types[name], one, ids) for one in found]

    # Lists -----------------------------------------------------------------------------------------------------------

    def _start(self, recipe: Recipe, source: Source) -> None:
        regions = self.regions
        if not recipe.collect.regional or regions is None:
            self._list(recipe, source, self.home)
            return
        request = Request(regions.call.service, regions.call.operation, self.home, {})

        def in_each(answer: Answer) -> None:
            names, error = _named_regions(regions, answer)
            if error is not None:
                own = recipe.object_type.id
                reason = self.notes.list_failed(request.key, error, regions.call, own, "the list of regions")
                self.unseen.in_region(own, None, reason)
            for region in sorted(names or {self.home}):
                self._list(recipe, source, region)

        self.requests.ask(request, in_each)

    def _base(self, region: str, parent: Parent | None = None) -> dict[str, Any]:
        own = {"_account": self.collection.account, "_partition": self.collection.partition, "_region": region}
        return own if parent is None else {**own, "_parent": parent.fields}

    def _list(self, recipe: Recipe, source: Source, region: str, parent: Parent | None = None) -> None:
        """Have one list read: of a region, or for a parent."""
        unknown, call = self.unknown, source.call
        if parent is not None:
            unknown = {**unknown, **{PARENT + name: why for name, why in parent.unknown.items()}}
        listing = Listing(recipe, source, region, self._base(region, parent), unknown, parent)
        if unknown and (lacking := recipe.lacks(source, unknown.keys())):
            self._unseen(listing, unknown[lacking])  # why it is not known was noted where it was found out
            return
        try:
            if source.when and not truthy(search(source.when, listing.base)):
                return
            request = self._request(call, region, listing.base) if call else None
        except ExpressionError as error:
            self._unread(listing, listing.call, odd(listing.call, error))
            return
        if request is None:
            self._listed(listing, Answer(({},), now()), listing.call)
        else:
            self._ask_list(listing, request)

    def _ask_list(self, listing: Listing, request: Request) -> None:
        """Have a list asked for, beside the report on the same objects if there is one."""

        def listed(answer: Answer) -> None:
            self._listed(listing, answer, request.key)

        provisional = listing.recipe.collect.provisional
        if provisional is None or provisional.call not in listing.recipe.calls or self.live:
            self.requests.ask(request, listed)
            return
        # Asked for at once, beside the list, and waited for first: it may name objects that the list no longer does.
        self.requests.ask(request, lambda answer: None)
        report = self._request(listing.recipe.collect.calls[provisional.call], listing.region, listing.base)
        self.requests.ask(
            report,
            lambda found: self.requests.ask(
                request, lambda answer: self._with_report(listing, report, found, answer, request.key)
            ),
        )

    def _unread(self, listing: Listing, key: str, error: ApiError) -> None:
        """Note that a list could not be read, or not to its end."""
        own = listing.recipe.object_type
        what = f"{own.name} in {listing.region}" if listing.recipe.collect.regional else own.name
        self._unseen(listing, self.notes.list_failed(key, error, listing.source.call, own.id, f"the list of {what}"))

    def _unseen(self, listing: Listing, reason: str) -> None:
        own = listing.recipe.object_type
        if listing.parent is None:
            self.unseen.in_region(own.id, listing.region if listing.recipe.collect.regional else None, reason)
        else:
            self.unseen.below(own.id, listing.parent, reason)

    def _request(self, call: Call, region: str, context: Mapping[str, Any], optional: frozenset[Path] = NONE) -> Request:
        """Return a request; what is asked without one of its arguments is asked about something else.

        Raises:
            ExpressionError: an argument is not known, or null.
        """
        given = {name: find(text, context, optional) for name, text in call.arguments.items()}
        unknown = next((name for name, value in given.items() if value is None), None)
        if unknown is not None:
            raise ExpressionError(f"{unknown} is null, so that nothing can be asked")
        return Request(call.service, call.operation, region, given)

    def _listed(self, listing: Listing, answer: Answer, key: str) -> bool:
        """Begin with the objects of a list; return whether it was read whole."""
        whole = answer.error is None
        if answer.error is not None:
            self._unread(listing, key, answer.error)
        for page in answer.pages:
            try:
                alone = len(answer.pages) == 1
                items = find_items(listing.source.items, page, listing.base, alone, listing.recipe.optional)
            except ExpressionError as error:
                self._unread(listing, key, odd(listing.call, error))
                whole = False
                continue
            for item in items:
                try:
                    meant = _is_meant(listing, item)
                except ExpressionError as error:
                    self._unread(listing, key, odd(listing.call, error))
                    whole = False
                    continue
                if meant:
                    self._begin(listing, item, answer)
        return whole

    def _with_report(self, listing: Listing, request: Request, report: Answer, answer: Answer, key: str) -> None:
        """Take a list beside a report on the same objects: who is in the report only is gone, if the list is whole."""
        recipe, provisional = listing.recipe, listing.recipe.collect.provisional
        if report.error is not None and provisional is not None:
            call, own = recipe.collect.calls[provisional.call], recipe.object_type
            self.notes.call_failed(request.key, report.error, call, own.id, provisional.call, f"the report on every {own.name}")
        whole = self._listed(listing, answer, key)
        lacking = missing(recipe)
        try:
            for item in without_item(recipe, report, answer, listing.base):
                self._begin(listing, item, answer, lacking, gone=whole)
        except ExpressionError as error:
            self._unread(listing, request.key, odd(listing.call, error))

    # Objects ---------------------------------------------------------------------------------------------------------

    def _begin(
        self, listing: Listing, item: Any, answer: Answer, lacking: Mapping[str, str] | None = None, gone: bool = False
    ) -> None:
        """Begin with a listed object, or with one that only a report names: `lacking` is why it doesn't say everything."""
        recipe, region = listing.recipe, listing.region
        place = region if recipe.collect.regional else GLOBAL
        context = {**_named(item), **listing.base}
        if recipe.collect.region:
            try:
                region = place = _region_of(recipe, recipe.collect.region, context)
            except ExpressionError as error:
                self._unread(listing, listing.call, odd(listing.call, error))
                return
            context["_region"] = region
        found = Collected(recipe, region, place, context, listing.call, answer.at)
        found.failures = {**listing.unknown, **(lacking or {})}
        found.stands_in = lacking is not None
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
            if call.when and not truthy(find(call.when, one.context, one.recipe.optional)):
                one.context[name] = None
                return
            request = self._request(call, one.region, one.context, one.recipe.optional)
        except ExpressionError as error:
            self._failed(one, name, f"{call.name} {one.name}", odd(call.name, error), one.name)
            return
        one.open.add(name)
        self.requests.ask(request, lambda answer: self._answered(one, name, request.key, answer))

    def _failed(self, one: Collected, name: str, key: str, error: ApiError, subject: str) -> None:
        call, own = one.recipe.collect.calls[name], one.recipe.object_type
        one.failed(name, self.notes.call_failed(key, error, call, own.id, name, subject))

    def _answered(self, one: Collected, name: str, key: str, answer: Answer) -> None:
        one.open.discard(name)
        call, error = one.recipe.collect.calls[name], answer.error
        if error is not None and _matches(error, call.absent):
            one.answered(name, None, answer.at)
        elif error is not None and _matches(error, one.recipe.collect.gone):
            one.gone_at = one.gone_at or answer.at
            one.pending.clear()
        elif error is not None:
            self._failed(one, name, key, error, f"the answer of {call.name}" if call.match else one.name)
        elif call.match:
            try:
                self._joined(one, name, key, call, answer)
            except ExpressionError as odd_answer:
                self._failed(one, name, f"{key} {call.items}", odd(call.name, odd_answer), f"the answer of {call.name}")
        else:
            one.answered(name, answer.whole(), answer.at)
        if not one.advancing:  # an answer that was known is looked at where it was asked for
            self._advance(one)

    def _joined(self, one: Collected, name: str, key: str, call: Call, answer: Answer) -> None:
        """Take the one item of a list that is about the object."""
        theirs, own = call.match or ("", "")
        if (key, call.items or "", theirs) not in self._indexes:
            items = find_list(call.items or "@", answer.whole())
            index = {key_of(theirs, item): item for item in items}
            self._indexes[key, call.items or "", theirs] = {name: item for name, item in index.items() if name is not None}
        item = self._indexes[key, call.items or "", theirs].get(key_of(own, one.context))
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
            one.hints = set(one.recipe.hinted - wanted)
            one.pending = set(one.recipe.calls_for(wanted) & one.recipe.confirming) - one.context.keys()
            if one.pending:
                self._advance(one)
                return
        elif one.failures and one.gone_at is None:
            one.hints |= undoubted(one, suspect)
        record = one.record()
        for name, call in one.lacks.items():
            error = odd(call.name if call else one.listed, ExpressionError(f"the answer lacks {name}"))
            self.notes.call_failed(f"{own.id} {name}", error, call, own.id, name.partition(".")[0], one.name)
        if record.fields.get(own.id_field) is None:
            self._without_id(one, record.not_collected.get(own.id_field, f"{own.id_field} is null"))
            return
        if self._is_repeated(one.recipe, record):
            return
        self.records[own.id].append(record)
        if one.gone_at is not None:
            return
        below = [
            (recipe, source) for recipe in self.recipes.values() for source in recipe.collect.sources if source.parent == own.id
        ]
        if not below:
            return
        parent = Parent(own.id, record.fields.get(own.id_field), one.region, as_json(dict(record.fields)), record.not_collected)
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

    def _without_id(self, one: Collected, reason: str) -> None:
        """Note an object that can't be told from others: it is left out, and what leads to its type is not known."""
        own = one.recipe.object_type
        if reason not in one.failures.values():  # else what failed was noted
            error = ApiError(one.listed, Failure.OTHER, "UnexpectedAnswer", f"{own.name} without an id: {reason}")
            call = next((source.call for source in one.recipe.collect.sources if source.call), None)
            reason = self.notes.list_failed(f"{own.id} without an id", error, call, own.id, own.name)
        self.unseen.in_region(own.id, None, reason)

    def _list_below(self, recipe: Recipe, source: Source, parent: Parent, offends: frozenset[str], above: Recipe) -> None:
        """Have a list for an object read, unless it is only for what is INCOMPLIANT and no policy reads it."""
        relations = above.object_type.related_lists
        read = any(relations[name].type == recipe.object_type.id for name in above.lists)
        if source.for_suspects and not read and not offends.intersection(source.for_suspects):
            self.unseen.below(recipe.object_type.id, parent, NOT_ASKED)
            return
        self._list(recipe, source, parent.region, parent)


def _named_regions(regions: Regions, answer: Answer) -> tuple[set[str], ApiError | None]:
    """Return the regions that an answer names, and what is wrong with it."""
    found: list[Any] = []
    try:
        found = [search(regions.name, item) for page in answer.pages for item in items_of(regions.items, page)]
    except ExpressionError as error:
        return set(), answer.error or odd(regions.call.name, error)
    names = {one_line(name) for name in found if name}
    if answer.error is None and (not names or not all(found)):
        return names, odd(regions.call.name, ExpressionError("the answer lacks regions, or their names"))
    return names, answer.error


def _is_meant(listing: Listing, item: Any) -> bool:
    where = listing.source.where
    return not where or truthy(find(where, {**_named(item), **listing.base}, listing.recipe.optional))


def _region_of(recipe: Recipe, expression: str, context: Mapping[str, Any]) -> str:
    """Return the region that a listed item names as its own.

    Raises:
        ExpressionError: it names none; no other region may be asked about it in its place.
    """
    found = find(expression, context, recipe.optional)
    if not isinstance(found, str) or not found:
        raise ExpressionError(f"{expression}: a region was wanted, {describe(found)} was found")
    return one_line(found)


def _named(item: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", item) if isinstance(item, Mapping) else {"_item": item}


def _matches(error: ApiError, codes: Iterable[str]) -> bool:
    pairs = (declared.partition(": ") for declared in codes)
    return any(error.code == code and words.casefold() in error.message.casefold() for code, _, words in pairs)
