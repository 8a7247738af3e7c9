"""What /healthz and /readyz answer, wherever they are asked, and how the door reads them."""

import re
from typing import NamedTuple

from service.answer import Answer, refused
from service.plain import Head, PeculiarError, read_head

HEALTHY = Answer(200, {"status": "ok"})
_BEGINS = (b"GET /healthz ", b"GET /readyz ")
_LINE = re.compile(rb"GET /(healthz|readyz) HTTP/1\.([01])")


class Probe(NamedTuple):
    """A question about the process: `healthz`, or `readyz`."""

    name: str


def readiness(error: Exception | None) -> Answer:
    """Whether deliveries can be taken; `error` is why the ledger refuses a write, if it does."""
    if error is None:
        return HEALTHY
    detail = f"The ledger takes no write, so no delivery can be taken: {error}"
    return refused(503, detail, {"Retry-After": "5"})


def asked(begun: bytes | bytearray) -> tuple[Probe, Head] | None:
    """The question in what has come whole; None if it is none, or in no plain shape."""
    if not begun.startswith(_BEGINS):
        return None
    try:
        found = read_head(begun, _LINE)
    except PeculiarError:
        return None
    return (Probe(found[0][1].decode()), found[1]) if found else None
