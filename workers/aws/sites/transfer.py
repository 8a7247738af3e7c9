"""A site's objects on their way: sent, copied inside S3, removed; many at once, within bounds."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, BinaryIO, TypedDict, TypeVar

from botocore.exceptions import ClientError

from config.together import together
from workers.aws.faults import translated
from workers.aws.sites.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_s3.literals import MetadataDirectiveType

    from workers.aws.sites.book import File, Place, Present
    from workers.aws.sites.headers import Headers

TOGETHER = 32
PAGE = 1000
"""Keys in one call of DeleteObjects, S3's limit."""

Body = bytes | BinaryIO
T = TypeVar("T")
R = TypeVar("R")


class _Named(TypedDict, total=False):
    ContentType: str
    CacheControl: str
    ContentEncoding: str


def watched(
    work: Callable[[T], R], items: Iterable[T], watch: Callable[[], None], most: int = TOGETHER
) -> list[R]:
    """As `together`, and `watch` is asked before each item and raises to stop."""

    def one(item: T) -> R:
        watch()
        return work(item)

    return together(one, items, most)


class Transfer:
    """Objects into one place and copies inside it, from any thread."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._s3 = place.aws.s3
        self._wire = Wire(place.aws, place.bucket)

    def put(self, key: str, file: File, body: Body, headers: Headers | None) -> str:
        """Send one object, whose hash S3 verifies; its ETag."""
        bucket = self._place.bucket
        sha256 = base64.b64encode(bytes.fromhex(file.sha256)).decode()
        if isinstance(body, bytes):
            spoken = {**_spoken(headers), "x-amz-checksum-sha256": sha256}
            etag = self._wire.put(key, spoken, body)
            if etag:
                return etag
        with translated(f"uploading {bucket}/{key}"):
            answer = self._s3.put_object(
                Bucket=bucket, Key=key, Body=body, ChecksumSHA256=sha256, **_named(headers)
            )
        return answer["ETag"].strip('"')

    def copy(self, source: str, key: str, headers: Headers | None = None) -> str:
        """Copy one object, with other headers or with those that it has; its ETag."""
        bucket = self._place.bucket
        directive: MetadataDirectiveType = "REPLACE" if headers else "COPY"
        spoken = {**_spoken(headers), "x-amz-metadata-directive": directive}
        etag = self._wire.copy(key, spoken, f"{bucket}/{source}")
        if etag:
            return etag
        with translated(f"copying {bucket}/{source} to {key}"):
            answer = self._s3.copy_object(
                Bucket=bucket,
                Key=key,
                CopySource={"Bucket": bucket, "Key": source},
                MetadataDirective=directive,
                **_named(headers),
            )
        return answer["CopyObjectResult"].get("ETag", "").strip('"')

    def restore(self, name: str, before: Present | None, blob: str | None) -> None:
        """Put one file back to what lay there, or remove it where nothing did."""
        key = self._place.key(name)
        if before is None:
            remove(self._place, [key])
        else:
            # Without a blob the bytes never changed, only the headers.
            self.copy(blob or key, key, before.headers)


def _spoken(headers: Headers | None) -> dict[str, str]:
    """Headers as HTTP has them."""
    if headers is None:
        return {}
    encoding = headers.content_encoding
    return {
        "Content-Type": headers.content_type,
        "Cache-Control": headers.cache_control,
        **({"Content-Encoding": encoding} if encoding else {}),
    }


def _named(headers: Headers | None) -> _Named:
    """Headers as boto3 names them."""
    if headers is None:
        return {}
    named: _Named = {"ContentType": headers.content_type, "CacheControl": headers.cache_control}
    if headers.content_encoding:
        named["ContentEncoding"] = headers.content_encoding
    return named


def remove(place: Place, keys: list[str]) -> None:
    """Remove objects; those that are gone already are no fault.

    Raises:
        OurError: that is not allowed.
        PassingError: S3 is out of reach.
    """
    for start in range(0, len(keys), PAGE):
        batch = [{"Key": key} for key in keys[start : start + PAGE]]
        with translated(f"removing what has had its time from {place.bucket}"):
            answer = place.aws.s3.delete_objects(
                Bucket=place.bucket,
                Delete={"Objects": batch, "Quiet": True},  # type: ignore[typeddict-item]
            )
        # S3 answers 200, and says of each object that it may not be removed.
        for error in answer.get("Errors", ()):
            with translated(f"removing {place.bucket}/{error.get('Key')}"):
                code, message = error.get("Code", ""), error.get("Message", "")
                raise ClientError({"Error": {"Code": code, "Message": message}}, "DeleteObjects")
