"""As much of S3 as a site needs, in one thread, each answer late by a fixed time.

moto needs 2.4 ms of one processor for each object, so that with 1,520 of them its own pace would be
measured. This keeps objects in a dictionary and needs a tenth of that.
"""

import asyncio
import base64
import hashlib
import re
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape

from benchmarks.proxy import Call

KEPT = ("content-type", "cache-control", "content-encoding")
XML = {"Content-Type": "application/xml"}
Headers = dict[str, str]
Answer = tuple[int, Headers, bytes]


@dataclass
class Object:
    """What a key holds."""

    body: bytes
    headers: Headers
    etag: str
    modified: datetime

    @classmethod
    def of(cls, body: bytes, headers: Headers) -> Self:
        """A new one."""
        kept = {name: headers[name] for name in KEPT if name in headers}
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        return cls(body, kept, etag, datetime.now(UTC).replace(microsecond=0))


@dataclass
class Store:
    """A running server; `objects` by bucket and key, `calls` as a proxy would note them."""

    delay: float = 0
    page: int = 1000
    objects: dict[str, dict[str, Object]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20, backlog=256)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()
                return
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value
                for name, found, value in (line.partition(": ") for line in lines)
                if found
            }
            if headers.get("expect") == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            method, target, _ = first.split(" ")
            began = asyncio.get_running_loop().time()
            status, answered, data = self.answer(method, target, headers, body)
            await asyncio.sleep(self.delay)
            self.calls.append(Call(method, target, began, asyncio.get_running_loop().time()))
            told = {"Content-Length": str(len(data)), **answered}
            text = "".join(f"{name}: {value}\r\n" for name, value in told.items())
            writer.write(f"HTTP/1.1 {status} -\r\n{text}\r\n".encode("latin-1"))
            writer.write(b"" if method == "HEAD" else data)

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> Answer:
        """What S3 would say."""
        path, _, query = target.partition("?")
        name, _, key = path[1:].partition("/")
        bucket = self.objects.setdefault(name, {})
        words = dict(parse_qsl(query, keep_blank_values=True))
        if not key:
            return _removed(bucket, body) if "delete" in words else self._listed(bucket, words)
        return self._one(method, bucket, unquote(key), headers, body)

    def _one(
        self, method: str, bucket: dict[str, Object], key: str, headers: Headers, body: bytes
    ) -> Answer:
        there = bucket.get(key)
        if method == "PUT":
            if source := headers.get("x-amz-copy-source"):
                return self._copied(bucket, key, headers, unquote(source))
            return _put(bucket, key, headers, body)
        if there is None:
            return _refused(404, "NoSuchKey")
        if method == "DELETE":
            del bucket[key]
            return 204, {}, b""
        about = {**there.headers, "ETag": there.etag, "Last-Modified": _http(there.modified)}
        size = {"Content-Length": str(len(there.body))}
        return 200, about | size, there.body

    def _copied(self, bucket: dict[str, Object], key: str, headers: Headers, source: str) -> Answer:
        name, _, old = source.removeprefix("/").partition("/")
        found = self.objects.get(name, {}).get(old)
        if found is None:
            return _refused(404, "NoSuchKey")
        replaced = headers.get("x-amz-metadata-directive") == "REPLACE"
        made = bucket[key] = Object.of(found.body, headers if replaced else found.headers)
        text = f"<ETag>{made.etag}</ETag><LastModified>{_iso(made.modified)}</LastModified>"
        return 200, XML, f"<CopyObjectResult>{text}</CopyObjectResult>".encode()

    def _listed(self, bucket: dict[str, Object], words: Headers) -> Answer:
        prefix, after = (
            words.get("prefix", ""),
            words.get("continuation-token", words.get("start-after", "")),
        )
        found = sorted(key for key in bucket if key.startswith(prefix) and key > after)
        page = found[: self.page]
        spoken = quote if words.get("encoding-type") == "url" else escape
        items = "".join(
            f"<Contents><Key>{spoken(key)}</Key><LastModified>{_iso(bucket[key].modified)}"
            f"</LastModified><ETag>{bucket[key].etag}</ETag><Size>{len(bucket[key].body)}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key in page
        )
        rest = "<IsTruncated>false</IsTruncated>"
        if len(found) > self.page:
            token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>"
            rest = f"<IsTruncated>true</IsTruncated>{token}"
        coded = "<EncodingType>url</EncodingType>" if spoken is quote else ""
        return 200, XML, f"<ListBucketResult>{coded}{items}{rest}</ListBucketResult>".encode()


def _put(bucket: dict[str, Object], key: str, headers: Headers, body: bytes) -> Answer:
    there = bucket.get(key)
    wanted = headers.get("if-match")
    if (headers.get("if-none-match") and there) or (
        wanted and (there is None or there.etag.strip('"') != wanted.strip('"'))
    ):
        return _refused(412, "PreconditionFailed")
    hashed = headers.get("x-amz-checksum-sha256")
    if hashed and base64.b64encode(hashlib.sha256(body).digest()).decode() != hashed:
        return _refused(400, "BadDigest")
    bucket[key] = Object.of(body, headers)
    return 200, {"ETag": bucket[key].etag}, b""


def _removed(bucket: dict[str, Object], body: bytes) -> Answer:
    for key in re.findall(rb"<Key>(.*?)</Key>", body):
        bucket.pop(key.decode(), None)
    return 200, XML, b"<DeleteResult/>"


def _refused(status: int, code: str) -> Answer:
    return status, XML, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _http(moment: datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
