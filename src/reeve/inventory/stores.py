"""Object stores: Amazon S3 and those that speak like it, Google Cloud Storage, Azure Blob Storage; transfers are obstore's."""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reeve.files import read_plain
from reeve.inventory.manifest import SnapshotError

_ADDRESS = re.compile(r"(s3|gs|az):/+([^/]+)/?(.*)", re.DOTALL)
_LIKE_ONE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(/|$)")
_LONGEST = 300
_FRESH = timedelta(minutes=5)
"""How long obstore may use credentials before it asks botocore again, which renews those that expire."""
_CHUNK = 1 << 20


def is_address(path: Path) -> bool:
    """Return whether a path is an address in an object store: `s3://BUCKET/PREFIX`, `gs://…`, `az://CONTAINER/…`.

    Raises:
        SnapshotError: it is an address of another kind, or names no bucket; a directory of such a name would surprise.
    """
    found = _ADDRESS.fullmatch(str(path)) is not None
    if not found and _LIKE_ONE.match(str(path)):
        raise SnapshotError(f"{path} is no address that is known; name a directory, or s3://BUCKET/PREFIX, gs://… or az://…")
    return found


def shown(path: Path) -> str:
    """Return a path as it was given; an address has two strokes, of which a path keeps one."""
    found = _ADDRESS.fullmatch(str(path))
    return f"{found[1]}://{found[2]}{'/' if found[3] else ''}{found[3]}" if found else str(path)


@dataclass(frozen=True, slots=True)
class Store:
    """What lies below an address; names are from there, of parts parted by strokes."""

    address: str
    prefix: str
    store: Any

    @classmethod
    def open(cls, given: Path, profile: str | None = None) -> "Store":
        """Open the store of an address.

        Args:
            given: the address.
            profile: the profile of the AWS configuration to use; by default the AWS CLI's.

        Raises:
            SnapshotError: there are no credentials for it, or no such bucket.
        """
        found = _ADDRESS.fullmatch(str(given))
        if found is None:
            raise ValueError(given)
        scheme, bucket, prefix = found[1], found[2], found[3].strip("/")
        address = shown(given)
        import obstore.store  # nobody else should wait for it

        with _errors(address, "open"):
            match scheme:
                case "s3":
                    store: Any = _s3(address, bucket, profile)
                case "gs":
                    store = obstore.store.GCSStore(bucket, client_options=_CLIENT)
                case _:
                    store = obstore.store.AzureStore(bucket, client_options=_CLIENT)
        return cls(address, f"{prefix}/" if prefix else "", store)

    def read(self, name: str) -> Iterator[bytes] | None:
        """Return an object's content in pieces; None if there is no such object.

        Raises:
            SnapshotError: it can't be read.
        """
        import obstore

        with _errors(self.address, f"get {name}"):
            try:
                found = obstore.get(self.store, self.prefix + name)
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None
        return self._pieces(name, found)

    def _pieces(self, name: str, found: Any) -> Iterator[bytes]:
        with _errors(self.address, f"get {name}"):
            for piece in found.stream(min_chunk_size=_CHUNK):
                yield bytes(piece)

    def put(self, name: str, file: Path) -> None:
        """Put a file's content at a name, large ones in parts.

        Raises:
            SnapshotError: it can't be put.
        """
        import obstore

        with _errors(self.address, f"put {name}"):
            obstore.put(self.store, self.prefix + name, file)

    def names(self, folder: str, deep: bool) -> list[str]:
        """Return the names of the objects in a folder (or, as "", at the address), with those of its folders if `deep`.

        Raises:
            SnapshotError: they can't be listed.
        """
        import obstore

        library: Any = obstore  # its stubs name types of libraries that are not installed
        where = (self.prefix + folder).rstrip("/")
        with _errors(self.address, f"list {folder or 'the address'}"):
            if deep:
                found = [one for page in library.list(self.store, where) for one in page]
            else:
                found = list(library.list_with_delimiter(self.store, where)["objects"])
        return [str(one["path"]).removeprefix(self.prefix) for one in found]

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects.

        Raises:
            SnapshotError: one can't be deleted.
        """
        import obstore

        chosen = [self.prefix + name for name in names]
        with _errors(self.address, "delete"):
            if chosen:
                obstore.delete(self.store, chosen)


# A plain address is used only where somebody configured one.
_CLIENT: Any = {"allow_http": True}


def _s3(address: str, bucket: str, profile: str | None) -> Any:
    """Open a bucket with the credentials, the endpoint and the certificates that botocore finds, as the AWS CLI does."""
    import botocore.session  # pyright: ignore[reportMissingTypeStubs]
    from obstore.store import S3Store

    session: Any = botocore.session.Session(profile=profile)
    credentials = session.get_credentials()
    if credentials is None:
        raise SnapshotError(f"{address}: no credentials were found; set --profile, AWS_PROFILE or AWS_ACCESS_KEY_ID")
    credentials.get_frozen_credentials()
    region = _region(session.create_client("s3"), bucket)
    client: Any = session.create_client("s3", region_name=region)
    bundle = session.get_config_variable("ca_bundle")
    options: Any = {**_CLIENT, "root_certificate": read_plain(Path(bundle))} if bundle else _CLIENT
    return S3Store(
        bucket,
        region=client.meta.region_name,
        endpoint=client.meta.endpoint_url,
        virtual_hosted_style_request=False,  # the endpoint is the region's, with the bucket in the path
        credential_provider=_provider(credentials),
        client_options=options,
        retry_config={"max_retries": 5, "retry_timeout": timedelta(minutes=1)},
    )


def _provider(credentials: Any) -> Callable[[], Any]:
    def give() -> Any:
        frozen = credentials.get_frozen_credentials()
        expires = datetime.now(UTC) + _FRESH
        keys = {"access_key_id": frozen.access_key, "secret_access_key": frozen.secret_key}
        return {**keys, "token": frozen.token, "expires_at": expires}

    return give


def _region(client: Any, bucket: str) -> str | None:
    """Return the region that a bucket is in; S3 says it even to those who may not look into the bucket."""
    import botocore.exceptions  # pyright: ignore[reportMissingTypeStubs]

    try:
        return client.head_bucket(Bucket=bucket).get("BucketRegion")
    except botocore.exceptions.ClientError as error:
        response: Any = error.response
        metadata: Any = response.get("ResponseMetadata", {})
        if metadata.get("HTTPStatusCode") == 404:
            client.list_objects_v2(Bucket=bucket, MaxKeys=1)  # a HEAD request's answer doesn't say what is not there
        return metadata.get("HTTPHeaders", {}).get("x-amz-bucket-region")


@contextmanager
def _errors(address: str, what: str) -> Generator[None]:
    """Say in one line what a store or its library says in many."""
    try:
        yield
    except SnapshotError:
        raise
    except Exception as error:  # noqa: BLE001 - obstore raises classes of its own, Python's, and whatever botocore stumbles over
        answer: Any = getattr(error, "response", None)  # botocore's ClientError
        shown = _said(str(error)) if answer is None else _answered(getattr(error, "operation_name", "?"), answer)
        raise SnapshotError(f"{address}: {what}: {shown}; check the address, credentials and network") from None


def _answered(operation: str, answer: Any) -> str:
    """Return what S3 answered to a call of botocore's."""
    details, request = answer.get("Error", {}), answer.get("ResponseMetadata", {}).get("RequestId", "unknown")
    return f"s3:{operation}: {details.get('Code')}: {details.get('Message')} (request {request})"


def _said(text: str) -> str:
    """Return the code, message and request of a store's answer, or else the first line of what its library says."""
    parts = [found[1] for tag in ("Code", "Message") if (found := re.search(f"<{tag}>([^<]*)</{tag}>", text))]
    request = re.search("<RequestId>([^<]*)</RequestId>", text)
    shown = ": ".join(parts) if parts else (text.strip().splitlines() or ["no answer"])[0][:_LONGEST]
    return f"{shown} (request {request[1]})" if request else shown
