"""How the account that a command collects is opened: a real one, or the simulated one."""

from collections.abc import Generator
from contextlib import contextmanager

from reeve.cli.failures import UserError
from reeve.collect.provider import Access, Simulation


@contextmanager
def account_access(demo: bool, profile: str | None, region: str | None, live: bool) -> Generator[Access]:
    """Return how to open the account; the simulated one is served for as long as the context lasts.

    Raises:
        UserError: the extra for the simulated account is not installed.
    """
    if not demo:
        yield Access(profile, region, live)
        return
    try:
        from reeve.demo.company import PROVIDER, simulated_account

        account = simulated_account()
        address = account.__enter__()
    except ImportError as error:
        raise UserError(f"--demo needs the extra `demo` ({error.name} is missing): pip install 'reeve[demo]'") from None
    try:
        yield Access(live=live, simulation=Simulation(PROVIDER, address))
    finally:
        account.__exit__(None, None, None)
