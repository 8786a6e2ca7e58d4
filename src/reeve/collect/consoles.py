"""Where the consoles of providers are, in which an object's page is looked at."""

from reeve.collect.aws import partitions

_HOSTS = {"aws": partitions.console_host}


def console_host(provider: str, partition: str) -> str | None:
    """Return the host of a provider's console in a partition; None where none is known."""
    found = _HOSTS.get(provider)
    return None if found is None else found(partition)
