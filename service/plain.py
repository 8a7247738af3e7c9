"""Deliveries as GitHub and the usual proxies send them, read in one go out of what has come.

Only the plainest shape of such a request is read here (RFC 9112): what differs in anything that
could be understood in two ways is left to gunicorn's own parser, and to Flask.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from time import time

from service.answer import Answer

PATH = "/webhooks/github"
BEGINS = f"POST {PATH} ".encode()
MOST_HEAD = 16 * 1024
MOST_BODY = 1024 * 1024
_REQUEST = re.compile(rb"POST " + PATH.encode() + rb" HTTP/1\.([01])")
_FIELDS = re.compile(rb"(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e]*)*")
GATHERED_BODY = 64 * 1024
"""Bodies up to here are gathered before a thread is taken: forms, and what the API is sent."""
_BODY = re.compile(rb"\r\n(?i:content-length):[\t ]*([0-9]{1,7})[\t ]*\r\n")
_METHOD = re.compile(rb"[A-Z]{1,20}(?: |\Z)")
# A client that waits for a word of ours before it sends its body.
_WAITS = re.compile(rb"\r\n(?i:expect|transfer-encoding|upgrade):")
_LENGTH = re.compile(r"[0-9]{1,7}")
_PECULIAR = frozenset({"transfer-encoding", "expect", "upgrade", "te", "trailer"})


class PeculiarError(ValueError):
    """A request that is not of the plainest shape."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request: its fields by their names in lower case.

    `size` is its length with the body, `stays` its connection's fate.
    """

    minor: int
    fields: Mapping[str, str]
    start: int
    size: int
    stays: bool


def concerns(begun: bytes | bytearray) -> bool:
    """Whether what has come is, or may become, a delivery."""
    return begun.startswith(BEGINS) or BEGINS.startswith(begun)


def unfinished(begun: bytes | bytearray) -> bool:
    """Whether more must come before a thread has anything to do: the head, or a short body."""
    if not _METHOD.match(begun):
        return False
    end = begun.find(b"\r\n\r\n", 0, MOST_HEAD)
    if end < 0:
        # Gunicorn refuses bare line feeds, and should do so at once.
        return len(begun) < MOST_HEAD and b"\n\n" not in begun and b"\n\r\n" not in begun
    lengths = _BODY.findall(begun, 0, end + 2)
    if len(lengths) != 1 or _WAITS.search(begun, 0, end + 2):
        return False
    length = int(lengths[0])
    return length <= GATHERED_BODY and len(begun) < end + 4 + length


def head(begun: bytes | bytearray) -> Head | None:
    """The head of a delivery; None as long as it has not come whole.

    Raises:
        PeculiarError: it is to be read by gunicorn.
    """
    found = read_head(begun, _REQUEST)
    return found and found[1]


def read_head(
    begun: bytes | bytearray, wanted: re.Pattern[bytes]
) -> tuple[re.Match[bytes], Head] | None:
    """A head whose first line is as wanted, and that line; None as long as it has not come whole.

    The last group of `wanted` is HTTP's minor version. Without a body where it says GET.

    Raises:
        PeculiarError: it is to be read by gunicorn.
    """
    end = begun.find(b"\r\n\r\n", 0, MOST_HEAD)
    if end < 0:
        if len(begun) >= MOST_HEAD:
            raise PeculiarError("a long head")
        return None
    line, _, _ = (text := bytes(begun[:end])).partition(b"\r\n")
    found = wanted.fullmatch(line)
    if not found or not _FIELDS.fullmatch(text, len(line)):
        raise PeculiarError("an odd line")
    lines = text.decode("ascii").split("\r\n")[1:]
    return found, _head(int(found[found.lastindex or 0]), lines, end + 4, line.startswith(b"POST"))


def _head(minor: int, lines: list[str], start: int, body: bool) -> Head:  # noqa: FBT001 - of a POST
    fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip(" \t")
    if len(fields) != len(lines) or not _PECULIAR.isdisjoint(fields) or "host" not in fields:
        raise PeculiarError("a field that comes twice, changes the framing, or lacks")
    length = fields.get("content-length", "" if body else "0")
    if not body and length != "0":
        raise PeculiarError("a body where none belongs")
    if not _LENGTH.fullmatch(length) or int(length) > MOST_BODY:
        raise PeculiarError("no length, or a large one")
    asked = fields.get("connection", "keep-alive" if minor else "close").lower()
    if asked not in ("keep-alive", "close"):
        raise PeculiarError("an odd connection")
    return Head(minor, fields, start, start + int(length), asked == "keep-alive")


def written(answer: Answer, *, minor: int, stays: bool) -> bytes:
    """An answer as it goes over the wire."""
    text = json.dumps(answer.body, separators=(",", ":")) + "\n"
    more = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    return (
        f"HTTP/1.{minor} {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
        f"Server: gunicorn\r\nDate: {_date(int(time()))}\r\n"
        f"Connection: {'keep-alive' if stays else 'close'}\r\n"
        f"Content-Type: {answer.kind}\r\nContent-Length: {len(text)}\r\n{more}\r\n{text}"
    ).encode("ascii")


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
