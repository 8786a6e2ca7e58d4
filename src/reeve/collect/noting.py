"""Notes what fails: each request once, however many objects wait for it, with everything that it leaves unseen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reeve.collect.affected import parts, whole
from reeve.collect.collection import Affects, Collection
from reeve.collect.expressions import ExpressionError
from reeve.collect.failures import ApiError, Failure
from reeve.collect.recipe import Recipe
from reeve.model import Call


def odd(call: str, error: ExpressionError) -> ApiError:
    """Return the error for an answer that is not as a declaration expects it."""
    return ApiError(call, Failure.OTHER, "UnexpectedAnswer", str(error))


def reason_of(error: ApiError) -> str:
    """Return why a field could not be read, for whoever reads a finding."""
    return f"{error.call} failed with {error.code}: {error.advice}"


@dataclass(slots=True)
class Notes:
    """What failed while `recipes` were collected into `collection`."""

    recipes: Mapping[str, Recipe]
    collection: Collection
    _noted: set[str] = field(default_factory=set[str])
    _affects: dict[tuple[str, str | None], Affects] = field(default_factory=dict[tuple[str, str | None], Affects])

    def list_failed(self, key: str, error: ApiError, call: Call | None, type_id: str, subject: str) -> str:
        """Note a list of a type that could not be read, or not to its end; return the reason."""
        return self._note(key, error, call, subject, type_id, None)

    def call_failed(self, key: str, error: ApiError, call: Call | None, type_id: str, name: str, subject: str) -> str:
        """Note a call for an object, by its name in the type's declaration, that failed; return the reason."""
        return self._note(key, error, call, subject, type_id, name)

    def _note(self, key: str, error: ApiError, call: Call | None, subject: str, type_id: str, name: str | None) -> str:
        found = error
        if call is not None and error.call == call.name and len(call.permissions) == 1:
            found = replace(error, actions=call.permissions)
        affects = self._unseen(type_id, name)
        if key not in self._noted:
            self._noted.add(key)
            self.collection.failed(found.about(subject, affects))
        else:
            self.collection.affected(found.call, found.code, affects)
        return reason_of(found)

    def _unseen(self, type_id: str, name: str | None) -> Affects:
        if (type_id, name) not in self._affects:
            found = whole(self.recipes, type_id) if name is None else parts(self.recipes, type_id, frozenset({name}))
            self._affects[type_id, name] = found
        return self._affects[type_id, name]
