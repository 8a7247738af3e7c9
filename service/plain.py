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


def head(begun: bytes | bytearray) -> Head | None:
    """The head of a delivery; None as long as it has not come whole.

    Raises:
        PeculiarError: it is to be read by gunicorn.
    """
    end = begun.find(b"\r\n\r\n", 0, MOST_HEAD)
    if end < 0:
        if len(begun) >= MOST_HEAD:
            raise PeculiarError("a long head")
        return None
    line, _, _ = (text := bytes(begun[:end])).partition(b"\r\n")
    version = _REQUEST.fullmatch(line)
    if not version or not _FIELDS.fullmatch(text, len(line)):
        raise PeculiarError("an odd line")
    return _head(int(version[1]), text.decode("ascii").split("\r\n")[1:], end + 4)


def _head(minor: int, lines: list[str], start: int) -> Head:
    fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip(" \t")
    if len(fields) != len(lines) or not _PECULIAR.isdisjoint(fields) or "host" not in fields:
        raise PeculiarError("a field that comes twice, changes the framing, or lacks")
    length = fields.get("content-length", "")
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
