"""Lists in pages: read to the end, or not read whole."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from reeve.collect.expressions import search
from reeve.collect.failures import ApiError, Failure

Page = Mapping[str, Any]
MORE = ("NextToken", "nextToken", "NextMarker", "IsTruncated", "Truncated")
"""Members that say that there is more; of an operation for which botocore knows no pages, nothing says how to ask for it."""


def read_pages(
    call: str, ask: Callable[[Mapping[str, Any]], Page], declared: Mapping[str, Any] | None, given: Mapping[str, Any], most: int
) -> Iterator[Page]:
    """Yield the pages of a call's answer, or the one answer of a call without pages.

    Args:
        call: the call's name.
        ask: makes the call with arguments.
        declared: what botocore knows about the operation's pages: `input_token`, `output_token`, `more_results`.
        given: the call's arguments.
        most: how many pages are read.

    Raises:
        ApiError: a page failed, or there is more that can't be read: the answer says so without a token, repeats a token or
            a page, or has too many pages. What was yielded before is what could be read.
    """
    if declared is None:
        page = ask(given)
        yield page
        if any(page.get(name) for name in MORE):
            raise _not_whole(call, "MoreWithoutPages", "there is more of it, but no way to ask for it is known")
        return
    inputs, outputs = _names(declared["input_token"]), _names(declared["output_token"])
    seen: set[str] = set()
    before: Mapping[str, list[Any]] | None = None
    for _ in range(most):
        page = ask(given)
        yield page
        tokens = {name: search(text, page) for name, text in zip(inputs, outputs, strict=True)}
        tokens = {name: token for name, token in tokens.items() if token}
        more = search(declared["more_results"], page) if "more_results" in declared else None
        if more is False or (not more and not tokens):
            return
        if not tokens:
            raise _not_whole(call, "MoreWithoutToken", "there is more of it, but the answer has no token to ask for it")
        if repr(tokens) in seen:
            raise _not_whole(call, "RepeatedToken", "a token came a second time")
        bare = {name: cast("list[Any]", value) for name, value in page.items() if isinstance(value, list)}
        if bare == before and any(bare.values()):
            raise _not_whole(call, "RepeatedPage", "a page came a second time")
        seen.add(repr(tokens))
        before = bare
        given = {**{name: value for name, value in given.items() if name not in inputs}, **tokens}
    raise _not_whole(call, "TooManyPages", f"there are more than {most} pages")


def _names(declared: str | list[str]) -> list[str]:
    return declared if isinstance(declared, list) else [declared]


def _not_whole(call: str, code: str, message: str) -> ApiError:
    return ApiError(call, Failure.OTHER, code, f"the list was not read to its end: {message}")
