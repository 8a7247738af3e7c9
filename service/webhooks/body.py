"""The raw bytes of what another server sends, within bounds."""

from urllib.parse import unquote_to_bytes

from flask import abort, request

from service.answer import Answer, refused

MOST_FIELDS = 10


def refusal(length: str | None, most: int, name: str, *, chunked: bool) -> Answer | None:
    """The answer to a delivery whose head tells no length, or more than `most` bytes."""
    if length is None or chunked:
        return refused(411, "A delivery must tell its length in Content-Length.")
    if int(length) > most:
        return refused(413, f"A delivery has {name} at most.")
    return None


def whole(most: int, name: str) -> bytes:
    """The request's body, `most` bytes at most; aborts with 400, 411 or 413 otherwise."""
    length, chunked = request.content_length, "Transfer-Encoding" in request.headers
    told = None if length is None else str(length)
    if wrong := refusal(told, most, name, chunked=chunked):
        abort(wrong.status, str(wrong.body["detail"]))
    request.max_content_length = most
    found = request.get_data(cache=False)
    if len(found) != length:
        abort(400, "The body is shorter than its Content-Length.")
    return found


def form_field(body: bytes, name: bytes) -> bytes | None:
    """The value of the one field of that name in a form; None without it, or with too many.

    Not by parse_qs, which takes bytes for ASCII; what comes here is UTF-8 where it is right.
    """
    fields = body.split(b"&", MOST_FIELDS)
    begins = name + b"="
    found = [field.removeprefix(begins) for field in fields if field.startswith(begins)]
    if len(found) != 1 or len(fields) > MOST_FIELDS:
        return None
    return unquote_to_bytes(found[0].replace(b"+", b" "))
