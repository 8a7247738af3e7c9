"""A short way to S3 for a site's many small files; whatever goes wrong goes botocore's way.

botocore needs 2 ms of one processor for each request, so that a site of 1,500 files keeps a worker
busy for longer than it waits for S3. Its own parts, put together for the one case of a plain
request with a known hash, need a third of that. No fault is judged here: at the first answer that
is not 200, or is nothing that S3 says, the whole wire says no, and the caller asks again through
the client, which knows redirects, retries and what an error means. Both requests ask for the same,
so asking twice is harmless.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote_plus, urlencode
from xml.etree import ElementTree as ET

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError

from config.together import together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from botocore.awsrequest import AWSResponse

    from workers.aws.session import Aws

TOGETHER = 16
_NAME = "name"
_OK = 200
_LISTED = {"Key", "ETag", "LastModified"}
# S3 may answer 200 to a copy and then fail: only this is a copy.
_COPIED = re.compile(rb"<CopyObjectResult.*<ETag>(?:&quot;|&#34;|\")?([^<&\"]+)", re.DOTALL)


class Wire:
    """Requests to one bucket, from any thread; `usable` until the first that goes wrong."""

    def __init__(self, aws: Aws, bucket: str) -> None:
        self.usable = True
        self._aws = aws
        # Where botocore itself would send it: endpoint, path style or virtual host.
        url = aws.s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": _NAME})
        self._base = url.partition("?")[0].removesuffix(_NAME)

    def put(self, key: str, headers: Mapping[str, str], body: bytes) -> str | None:
        """Send an object; its ETag, or None: ask the client instead."""
        answer = self._send("PUT", quote(key, safe="/~"), headers, body)
        return str(answer.headers.get("ETag", "")).strip('"') or None if answer else None

    def copy(self, key: str, headers: Mapping[str, str], source: str) -> str | None:
        """Copy an object (`source` is `bucket/key`); its ETag, or None: ask the client instead."""
        named = {**headers, "x-amz-copy-source": quote(source, safe="/~")}
        answer = self._send("PUT", quote(key, safe="/~"), named)
        found = _COPIED.search(answer.content) if answer else None
        return found[1].decode() if found else None

    def listing(self, prefix: str, starts: Sequence[str] = ()) -> list[dict[str, str]] | None:
        """Key, LastModified and ETag of the objects below; None: ask the client instead.

        `starts` are keys after which further listings begin, all at the same time; what two of
        them list is in the result twice.
        """
        parts = zip(["", *starts], [*starts, None], strict=True)
        found = together(lambda part: self._part(prefix, *part), parts, TOGETHER)
        if not self.usable:
            return None
        return [one for part in found for one in part]

    def _part(self, prefix: str, start: str, end: str | None) -> list[dict[str, str]]:
        """Objects after one key, until one that is not before another."""
        found: list[dict[str, str]] = []
        more = {"start-after": start} if start else {}
        while True:
            words = {"list-type": "2", "prefix": prefix, "encoding-type": "url"}
            answer = self._send("GET", "?" + urlencode(words | more, quote_via=quote), {})
            page = _page(answer.content) if answer else None
            if page is None:
                self.usable = False
                return found
            found += page.items
            token = page.token
            if not token or (end is not None and found and found[-1]["Key"] >= end):
                return found
            more = {"continuation-token": token}

    def _send(
        self, method: str, rest: str, headers: Mapping[str, str], body: bytes = b""
    ) -> AWSResponse | None:
        if not self.usable:
            return None
        request = AWSRequest(method, self._base + rest, headers=dict(headers), data=body)
        try:
            signer = S3SigV4Auth(self._aws.credentials, "s3", self._aws.s3.meta.region_name)
            signer.add_auth(request)
            answer = self._aws.http.send(request.prepare())
        except BotoCoreError:
            answer = None
        if answer is None or answer.status_code != _OK:
            self.usable = False
            return None
        return answer


class _Page(NamedTuple):
    """A part of a listing, and what asks for the next; the token is empty on the last one."""

    items: list[dict[str, str]]
    token: str


def _page(content: bytes) -> _Page | None:
    """What S3 wrote; None for what it can't have written, such as a proxy's own page."""
    try:
        # Expat refuses entities that multiply (CVE-2013-0340).
        root = ET.fromstring(content)  # noqa: S314
    except ET.ParseError:
        return None
    found = [{_local(one.tag): one.text or "" for one in i} for i in root.iterfind("{*}Contents")]
    if _local(root.tag) != "ListBucketResult" or not all(one.keys() >= _LISTED for one in found):
        return None
    items = [{**one, "Key": unquote_plus(one["Key"])} for one in found]
    return _Page(items, root.findtext("{*}NextContinuationToken") or "")


def _local(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2]
