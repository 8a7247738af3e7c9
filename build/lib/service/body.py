"""The raw bytes of what another server sends, within bounds."""

from flask import abort, request


def whole(most: int, name: str) -> bytes:
    """The request's body, `most` bytes at most; aborts with 400, 411 or 413 otherwise."""
    length = request.content_length
    if length is None or "Transfer-Encoding" in request.headers:
        abort(411, "A delivery must tell its length in Content-Length.")
    if length > most:
        abort(413, f"A delivery has {name} at most.")
    request.max_content_length = most
    found = request.get_data(cache=False)
    if len(found) != length:
        abort(400, "The body is shorter than its Content-Length.")
    return found
