"""What AWS's partitions differ in, as far as botocore doesn't say it."""

_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
}


def console_host(partition: str) -> str | None:
    """Return the host of a partition's console; None of a partition whose console is not public."""
    return _CONSOLES.get(partition)
