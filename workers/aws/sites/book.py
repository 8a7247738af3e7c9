"""What is written down beside a site: a manifest per commit, and the book of what lies there.

`slipway/sites/<environment>/<commit>.json` says which files a commit's site has.
`slipway/sites/<environment>/book.json` says which commit is live, what every object that we put
there holds and how S3 listed it, and from when on it may go. `slipway/blobs/<sha256>` holds the
bytes of files that another commit replaces at the same name, for the way back.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from workers.aws.faults import ChangedError, MissingError, translated
from workers.aws.sites.headers import Headers
from workers.aws.sites.wire import Wire
from workers.ledger.model.errors import OurError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from workers.aws.session import Aws

OURS = "slipway"
JSON = "application/json"
PAGE = 1000
"""Objects that S3 lists in one call."""

M = TypeVar("M", bound=BaseModel)


class File(BaseModel):
    """One file of a site: SHA-256 in hex, size in bytes."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    size: int
    headers: Headers


class Manifest(BaseModel):
    """A site at one commit."""

    model_config = ConfigDict(frozen=True)

    commit: str
    files: dict[str, File]

    @property
    def digest(self) -> str:
        """One SHA-256, in hex, of all names, bytes and headers; the commit does not count."""
        files = {name: file.model_dump() for name, file in self.files.items()}
        text = json.dumps(files, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class Present(BaseModel):
    """One object of the site as we left it; `sha256` is empty for what somebody else wrote.

    `until` is when it may go, in seconds since 1970; None while it is live.
    """

    model_config = ConfigDict(frozen=True)

    sha256: str = ""
    headers: Headers | None = None
    etag: str = ""
    modified: str = ""
    until: float | None = None

    @property
    def content(self) -> str:
        """The name that its bytes have among the blobs."""
        return self.sha256 or f"etag-{self.etag}"

    def holds(self, file: File) -> bool:
        """Whether it is that file, headers and all."""
        return self.sha256 == file.sha256 and self.headers == file.headers


class Book(BaseModel):
    """What lies in the bucket of an environment; times in seconds since 1970, None for live.

    `pending` are blobs that were on their way when the book was written.
    """

    commit: str | None = None
    files: dict[str, Present] = {}
    blobs: dict[str, float | None] = {}
    pending: dict[str, float] = {}
    commits: dict[str, float | None] = {}


@dataclass(frozen=True)
class Listed:
    """One object as S3 lists it."""

    etag: str
    modified: str


@dataclass(frozen=True)
class Place:
    """Where a site is: `<bucket>/<environment>/…`, and ours beside it."""

    aws: Aws
    bucket: str
    environment: str

    def __post_init__(self) -> None:
        if self.environment == OURS:
            raise OurError(
                f"an environment with a site can't be called {OURS!r}: Slipway's own records stand "
                "there; the operator gives it another name"
            )

    @property
    def url(self) -> str:
        """What people read."""
        return f"s3://{self.bucket}/{self.environment}/"

    def key(self, name: str) -> str:
        """A file's key."""
        return f"{self.environment}/{name}"

    @staticmethod
    def blob(content: str) -> str:
        """A blob's key."""
        return f"{OURS}/blobs/{content}"

    def manifest_key(self, commit: str) -> str:
        """A manifest's key."""
        return f"{OURS}/sites/{self.environment}/{commit}.json"

    @property
    def book_key(self) -> str:
        """The book's key."""
        return f"{OURS}/sites/{self.environment}/book.json"

    def read_manifest(self, commit: str) -> Manifest | None:
        """The manifest of a commit, or None."""
        found = self._read(Manifest, self.manifest_key(commit))
        return found[0] if found else None

    def write_manifest(self, manifest: Manifest) -> None:
        """Keep a manifest; a second build of a commit takes the first's place."""
        key = self.manifest_key(manifest.commit)
        with translated(f"writing {self.bucket}/{key}"):
            body = manifest.model_dump_json().encode()
            self.aws.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=JSON)

    def read_book(self) -> tuple[Book, str]:
        """The book and the mark of what was read, for `write_book`."""
        return self._read(Book, self.book_key) or (Book(), "")

    def book_mark(self) -> str:
        """The mark of the book as it is now, which tells whether somebody has written it since."""
        try:
            with translated(f"looking for {self.bucket}/{self.book_key}"):
                return self.aws.s3.head_object(Bucket=self.bucket, Key=self.book_key)["ETag"]
        except MissingError:
            return ""

    def write_book(self, book: Book, mark: str) -> str:
        """Replace the book that was read; the mark of the new one.

        Raises:
            ChangedError: somebody else wrote it since.
        """
        body = book.model_dump_json().encode()
        guard: dict[str, str] = {"IfMatch": mark} if mark else {"IfNoneMatch": "*"}
        try:
            with translated(f"writing {self.bucket}/{self.book_key}"):
                answer = self.aws.s3.put_object(
                    Bucket=self.bucket,
                    Key=self.book_key,
                    Body=body,
                    ContentType=JSON,
                    **guard,  # type: ignore[arg-type]
                )
        except (ChangedError, MissingError) as error:
            # Where botocore repeats a call whose answer was lost, we lose against ourselves.
            there = self._read(Book, self.book_key)
            if there is None or there[0] != book:
                raise ChangedError(str(error)) from error
            return there[1]
        return answer["ETag"]

    def listing(self, names: Collection[str] = (), page: int = PAGE) -> dict[str, Listed]:
        """What lies under the environment's prefix, by name; a thousand objects a call.

        `names` are some that may lie there: with more than a `page` of them the calls are made at
        once.
        """
        prefix = self.key("")
        starts = [self.key(name) for name in sorted(names)[page - 1 :: page]]
        items = Wire(self.aws, self.bucket).listing(prefix, starts)
        return {
            name: Listed(item["ETag"].strip('"'), _time(item["LastModified"]))
            for item in (self._pages(prefix) if items is None else items)
            if (name := item["Key"].removeprefix(prefix))
        }

    def _pages(self, prefix: str) -> Iterator[dict[str, str]]:
        with translated(f"listing {self.url}"):
            pages = self.aws.s3.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for item in page.get("Contents", ()):
                    modified = item["LastModified"].isoformat()
                    yield {"Key": item["Key"], "ETag": item["ETag"], "LastModified": modified}

    def _read(self, model: type[M], key: str) -> tuple[M, str] | None:
        try:
            with translated(f"reading {self.bucket}/{key}"):
                answer = self.aws.s3.get_object(Bucket=self.bucket, Key=key)
                body = answer["Body"].read()
        except MissingError:
            return None
        try:
            return model.model_validate_json(body), answer["ETag"]
        except ValidationError as error:
            raise OurError(
                f"s3://{self.bucket}/{key} is not what Slipway wrote; the operator removes it "
                f"and retries the run ({error.error_count()} problems)"
            ) from None


def seen(book: Book, listing: Mapping[str, Listed]) -> dict[str, Present]:
    """What lies there: as the book has it where S3's listing agrees, else of unknown content."""
    found = {}
    for name, listed in listing.items():
        known = book.files.get(name)
        if known and (known.etag, known.modified) == (listed.etag, listed.modified):
            found[name] = known
        elif known and (known.etag, known.modified) == (listed.etag, ""):
            found[name] = known.model_copy(update={"modified": listed.modified})
        else:
            until = known.until if known else None
            found[name] = Present(etag=listed.etag, modified=listed.modified, until=until)
    return found


def _time(text: str) -> str:
    """A time in one form, whoever wrote it."""
    return datetime.fromisoformat(text).isoformat()
