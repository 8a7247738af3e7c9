"""Packages and logs in S3; a package is written once and never again."""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workers.aws.faults import ChangedError, InProgressError, MissingError, translated
from workers.ledger.model.errors import OurError, PassingError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from mypy_boto3_s3.type_defs import CopySourceTypeDef, HeadObjectOutputTypeDef

    from workers.aws.session import Aws

TRIES = 5
PAUSE = 0.2
CHUNK = 1 << 20
TEXT = "text/plain; charset=utf-8"
HASH_NOTE = "sha256"
"""The metadata that repeats the hash, for servers that don't report checksums."""


@dataclass(frozen=True)
class Artifact:
    """A package in S3; `sha256` is base64, the form of Lambda's CodeSha256."""

    bucket: str
    key: str
    version_id: str | None
    sha256: str


def key_of(function: str, commit: str) -> str:
    """The package's key, `<function>/<commit>.zip`."""
    return f"{function}/{commit}.zip"


def find(aws: Aws, bucket: str, function: str, commit: str) -> Artifact | None:
    """The package of a function at a commit, or None."""
    return _find(aws, bucket, key_of(function, commit))


def publish(  # noqa: PLR0913, PLR0917 - where to, what and whose: none implies another
    aws: Aws,
    bucket: str,
    function: str,
    commit: str,
    path: Path,
    sha256: str,
    metadata: Mapping[str, str] | None = None,
) -> Artifact:
    """Upload the zip at `path`, or find that it is there already; never overwrites.

    `sha256` is the file's, base64, and S3 verifies it; `metadata` are ASCII notes kept beside it.

    Raises:
        UserError: other bytes were published for this commit.
        PassingError: S3 is out of reach, or the key keeps changing.
    """
    wanted = Artifact(bucket, key_of(function, commit), None, sha256)
    notes = {**(metadata or {}), HASH_NOTE: sha256}
    return _write_once(aws, wanted, lambda: _put(aws, wanted, path, notes))


def copy(aws: Aws, source: Artifact, function: str, commit: str, *, bucket: str = "") -> Artifact:
    """Give a package a second key by a copy inside S3, or find it there; never overwrites.

    It stays in its source's bucket unless another one is named.

    Raises:
        UserError: other bytes were published for this commit.
        OurError: the copy has other bytes than its source had.
        PassingError: S3 is out of reach, or the key keeps changing.
    """
    wanted = Artifact(bucket or source.bucket, key_of(function, commit), None, source.sha256)
    # Not every S3 heeds If-None-Match of a copy, so that it is looked for first.
    there = _find(aws, wanted.bucket, wanted.key)
    if there is not None:
        return _same(there, wanted.sha256)
    return _write_once(aws, wanted, lambda: _copy(aws, wanted, source))


def _write_once(aws: Aws, wanted: Artifact, write: Callable[[], Artifact]) -> Artifact:
    for attempt in range(TRIES):
        try:
            return write()
        except InProgressError:
            time.sleep(PAUSE * (attempt + 1))
        except PassingError as error:
            # It exists; or the answer was lost, and then it may exist: S3 knows.
            there = _find(aws, wanted.bucket, wanted.key)
            if there is not None:
                return _same(there, wanted.sha256)
            if not isinstance(error, ChangedError):
                raise
    raise PassingError(f"{wanted.bucket}/{wanted.key}: written by somebody else at the same time")


def put_text(
    aws: Aws, bucket: str, key: str, body: bytes | BinaryIO, content_type: str = TEXT
) -> None:
    """Store a text, replacing what was there."""
    with translated(f"writing {bucket}/{key}"):
        aws.s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)


def get_text(aws: Aws, bucket: str, key: str) -> str | None:
    """A stored text, or None; bytes that aren't UTF-8 are replaced."""
    try:
        with translated(f"reading {bucket}/{key}"):
            body = aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except MissingError:
        return None
    return body.decode("utf-8", "replace")


def _put(aws: Aws, wanted: Artifact, path: Path, notes: Mapping[str, str]) -> Artifact:
    with path.open("rb") as body, translated(f"uploading {wanted.bucket}/{wanted.key}"):
        answer = aws.s3.put_object(
            Bucket=wanted.bucket,
            Key=wanted.key,
            Body=body,
            IfNoneMatch="*",
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=wanted.sha256,
            ContentType="application/zip",
            Metadata=notes,
        )
    return Artifact(wanted.bucket, wanted.key, _version(answer.get("VersionId")), wanted.sha256)


def _copy(aws: Aws, wanted: Artifact, source: Artifact) -> Artifact:
    where: CopySourceTypeDef = {"Bucket": source.bucket, "Key": source.key}
    if source.version_id:
        where["VersionId"] = source.version_id
    with translated(f"copying {source.bucket}/{source.key} to {wanted.key}"):
        answer = aws.s3.copy_object(
            Bucket=wanted.bucket,
            Key=wanted.key,
            CopySource=where,
            IfNoneMatch="*",
            ChecksumAlgorithm="SHA256",
        )
    told = answer["CopyObjectResult"].get("ChecksumSHA256")
    # The notes came along with the copy, so they prove nothing.
    found = told or _read_hash(aws, wanted.bucket, wanted.key)
    if found != wanted.sha256:
        raise OurError(
            f"{wanted.bucket}/{wanted.key} has other bytes than {source.key}, which it is a copy "
            f"of (SHA-256 {found} instead of {wanted.sha256}): somebody writes to the bucket"
        )
    return replace(wanted, version_id=_version(answer.get("VersionId")))


def _find(aws: Aws, bucket: str, key: str) -> Artifact | None:
    try:
        with translated(f"looking for {bucket}/{key}"):
            head = aws.s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except MissingError:
        return None
    version = _version(head.get("VersionId"))
    return Artifact(bucket, key, version, _reported(head) or _read_hash(aws, bucket, key))


def _reported(head: HeadObjectOutputTypeDef) -> str:
    # `<hash>-<parts>` is a hash of hashes: somebody uploaded it in parts.
    checksum = head.get("ChecksumSHA256", "")
    return checksum if checksum and "-" not in checksum else head["Metadata"].get(HASH_NOTE, "")


def _read_hash(aws: Aws, bucket: str, key: str) -> str:
    digest = hashlib.sha256()
    with translated(f"reading {bucket}/{key}"):
        for chunk in aws.s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(CHUNK):
            digest.update(chunk)
    return base64.b64encode(digest.digest()).decode()


def _version(version_id: str | None) -> str | None:
    # S3 says "null" where versioning is suspended.
    return None if version_id in (None, "", "null") else version_id


def _same(there: Artifact, sha256: str) -> Artifact:
    if there.sha256 == sha256:
        return there
    raise UserError(
        f"{there.bucket}/{there.key} is already published with other bytes (SHA-256 there "
        f"{there.sha256}, here {sha256}): the build is not reproducible. Make it give the same "
        "bytes for the same commit, or push a new commit"
    )
