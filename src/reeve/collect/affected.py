"""What a failure leaves unseen: of a type, of what is listed for its objects, and of what is picked from either."""

from collections.abc import Mapping

from reeve.collect.collection import Affects, together
from reeve.collect.recipe import Recipe
from reeve.language.query_reads import PARENT


def whole(recipes: Mapping[str, Recipe], type_id: str) -> Affects:
    """Return what is not seen when objects of a type may be missing: of it, and of the types that are listed for them."""
    found: dict[str, tuple[str, ...]] = {type_id: ()}
    for name, recipe in recipes.items():
        if name not in found and any(source.parent == type_id for source in recipe.collect.sources):
            found |= whole(recipes, name)
    return found


def parts(recipes: Mapping[str, Recipe], type_id: str, unknown: frozenset[str]) -> Affects:
    """Return what is not seen when some names that a type's expressions read are not known of an object.

    Args:
        recipes: what is collected, by type.
        type_id: the type.
        unknown: calls, `_account` and the like, or a parent's fields as `_parent.name`.
    """
    recipe = recipes[type_id]
    lost = unknown
    while more := {name for name, read in recipe.earlier.items() if name not in lost and read & lost}:
        lost |= more
    provisional = recipe.collect.provisional
    fields = {name for name in recipe.needed if recipe.reads[name] & lost}
    if provisional is not None and provisional.call in lost:
        fields |= {name for name in recipe.needed if recipe.object_type.fields[name].hint}
    if recipe.object_type.id_field in fields:
        return whole(recipes, type_id)
    found: Affects = {type_id: tuple(sorted(fields))} if fields else {}
    lost_below = frozenset(PARENT + name for name in fields)
    for name, child in recipes.items():
        sources = [source for source in child.collect.sources if source.parent == type_id]
        if lost_below and any(child.lacks(source, lost_below) for source in sources):
            found = together(found, whole(recipes, name))
        elif lost_below and sources:
            found = together(found, parts(recipes, name, lost_below))
    return found


def of_account(recipes: Mapping[str, Recipe], unknown: frozenset[str]) -> Affects:
    """Return what is not seen when the account, or its partition, is not known."""
    found: Affects = {}
    for name, recipe in recipes.items():
        unlisted = any(recipe.lacks(source, unknown) for source in recipe.collect.sources)
        found = together(found, whole(recipes, name) if unlisted else parts(recipes, name, unknown))
    return found
