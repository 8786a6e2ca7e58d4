"""The account that a command collects: a real one, or the simulated one."""

from collections.abc import Generator
from contextlib import contextmanager

from reeve.cli.failures import UserError
from reeve.collect.aws.api import Api


@contextmanager
def account_api(demo: bool, profile: str | None, region: str | None) -> Generator[Api]:
    """Open the account's APIs for as long as the context lasts.

    Raises:
        ApiError: there are no credentials.
        UserError: the extra for the simulated account is not installed.
    """
    if not demo:
        yield Api.open(profile, region)
        return
    try:
        from reeve.demo.company import simulated_account

        account = simulated_account()
        address = account.__enter__()
    except ImportError as error:
        raise UserError(f"--demo needs the extra `demo` ({error.name} is missing): pip install 'reeve[demo]'") from None
    try:
        yield Api.at(address)
    finally:
        account.__exit__(None, None, None)
