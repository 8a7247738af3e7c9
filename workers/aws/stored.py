"""Files in S3 that belong to a run: written, listed, read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.aws.faults import translated
from workers.aws.sites.media_types import UNKNOWN, by_extension

if TYPE_CHECKING:
    from typing import BinaryIO

    from workers.aws.session import Aws

GZIP = "application/gzip"


def write(aws: Aws, bucket: str, key: str, data: bytes) -> None:
    """Store a file with the content type of its name, replacing what was there."""
    with translated(f"writing {bucket}/{key}"):
        aws.s3.put_object(
            Bucket=bucket, Key=key, Body=data, ContentType=by_extension(key) or UNKNOWN
        )


def names(aws: Aws, bucket: str, prefix: str) -> list[str]:
    """The names of what is stored below a prefix, without it."""
    with translated(f"listing {bucket}/{prefix}"):
        pages = aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [
            item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", ())
        ]


def read(aws: Aws, bucket: str, key: str) -> bytes:
    """A stored file."""
    with translated(f"reading {bucket}/{key}"):
        return aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def stream(aws: Aws, bucket: str, key: str, file: BinaryIO) -> None:
    """Store a file of any size up to S3's limit for one request (5 GB), read as it is sent."""
    file.seek(0)
    with translated(f"writing {bucket}/{key}"):
        aws.s3.put_object(Bucket=bucket, Key=key, Body=file, ContentType=GZIP)


def slice_of(aws: Aws, bucket: str, key: str, start: int, count: int) -> bytes:
    """So many bytes of a stored file from one of them on; fewer at its end."""
    span = f"bytes={start}-{start + count - 1}"
    with translated(f"reading {bucket}/{key}"):
        return aws.s3.get_object(Bucket=bucket, Key=key, Range=span)["Body"].read()
