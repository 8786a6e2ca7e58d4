"""Snapshots and outcomes in S3: fetched to this machine to be read, and put there when they are whole, manifests last."""

import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from reeve.inventory.manifest import SnapshotError

MANIFESTS = ("manifest.json", "outcomes.json")


def is_address(path: Path) -> bool:
    """Return whether a path is an address in S3, `s3://BUCKET/PREFIX`."""
    return str(path).startswith("s3:/")


def shown(path: Path) -> str:
    """Return a path as it was given; an address has two strokes, of which a path keeps one."""
    return f"s3://{str(path).removeprefix('s3:/').lstrip('/')}" if is_address(path) else str(path)


@contextmanager
def reading(given: Path) -> Generator[Path]:
    """Give a directory that can be read here: the one given, or a copy of the snapshot and outcomes at an address.

    Raises:
        SnapshotError: there is nothing at the address, or it can't be read.
    """
    if not is_address(given):
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="reeve-") as copy:
        _Bucket(given).fetch(Path(copy))
        yield Path(copy)


@contextmanager
def putting(out: Path | None) -> Generator[Path | None]:
    """Give a directory to write to: the one given, or one whose files are put at an address if the context ends well.

    Raises:
        SnapshotError: a file can't be put there; manifests are put last, so that what was there stays a result.
    """
    if out is None or not is_address(out):
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="reeve-") as made:
        yield Path(made)
        _Bucket(out).put(Path(made))


class _Bucket:
    """The objects below an address; credentials and endpoint are found as the AWS CLI finds them."""

    def __init__(self, address: Path) -> None:
        self.bucket, _, prefix = str(address).removeprefix("s3:/").strip("/").partition("/")
        self.prefix = f"{prefix}/" if prefix else ""
        self.address = shown(address)
        import botocore.session  # pyright: ignore[reportMissingTypeStubs] - nobody else should wait for it

        self.client: Any = self._call("s3", lambda: botocore.session.get_session().create_client("s3"))  # pyright: ignore

    def fetch(self, into: Path) -> None:
        """Copy manifests, and the files that they name, into a directory."""
        keys = [key for key in self._keys() if ".." not in PurePosixPath(key).parts]
        manifests = [key for key in keys if PurePosixPath(key).name in MANIFESTS]
        if not manifests:
            raise SnapshotError(f"no snapshot in {self.address}; put one there with `reeve collect --out {self.address}`")
        for manifest in manifests:
            content = self._get(manifest, into)
            folder = PurePosixPath(manifest).parent
            named = {str(folder / name) for name in _named(content)}
            for key in keys:
                if key in named or any(key.startswith(f"{name}/") for name in named):
                    self._get(key, into)

    def put(self, made: Path) -> None:
        """Put a directory's files at the address, manifests last."""
        files = [path for path in made.rglob("*") if path.is_file() and not path.name.startswith(".")]
        for path in sorted(files, key=lambda path: (path.name in MANIFESTS, path)):
            key = self.prefix + path.relative_to(made).as_posix()
            with path.open("rb") as body:
                self._call("PutObject", lambda: self.client.put_object(Bucket=self.bucket, Key=key, Body=body))  # noqa: B023

    def _keys(self) -> Iterator[str]:
        pages: Any = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        found = self._call("ListObjectsV2", lambda: list(pages))
        return (str(one["Key"]).removeprefix(self.prefix) for page in found for one in page.get("Contents", ()))

    def _get(self, key: str, into: Path) -> bytes:
        path = into / key
        path.parent.mkdir(parents=True, exist_ok=True)
        found = self._call("GetObject", lambda: self.client.get_object(Bucket=self.bucket, Key=self.prefix + key))
        with path.open("wb") as file:
            for chunk in found["Body"].iter_chunks(1 << 20):
                file.write(chunk)
        return path.read_bytes() if path.name in MANIFESTS else b""

    def _call(self, action: str, call: Any) -> Any:
        import botocore.exceptions  # pyright: ignore[reportMissingTypeStubs]

        try:
            return call()
        except botocore.exceptions.ClientError as error:
            answer: Any = error.response
            details = answer["Error"]
            request = answer.get("ResponseMetadata", {}).get("RequestId", "unknown")
            message = f"{self.address}: s3:{action}: {details['Code']}: {details['Message']} (request {request})"
            raise SnapshotError(f"{message}; check the address, and what the identity may do there") from None
        except botocore.exceptions.BotoCoreError as error:
            raise SnapshotError(f"{self.address}: s3:{action}: {error}; check credentials and network") from None


def _named(manifest: bytes) -> Iterator[str]:
    """Yield what a manifest names, files or folders."""
    try:
        found: Any = msgspec.json.decode(manifest)
        yield from (table["file"] for table in found.get("tables", {}).values())
        yield from (folder for of in found.get("types", {}).values() for folder in of["folders"])
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError):
        return  # whoever reads the copy says what is wrong with it
