"""Whether a delivery was signed with one of our secrets."""

import hmac
import re
from collections.abc import Sequence

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


def verify(secrets: Sequence[str], body: bytes, header: str | None) -> bool:
    """Whether `header` is the HMAC-SHA256 of the raw body under any of the secrets.

    Source: "Validating webhook deliveries" in GitHub's documentation. A header that came twice
    reaches WSGI joined by a comma, and is no signature.
    """
    if header is None or not _SIGNATURE.fullmatch(header):
        return False
    given = header.encode("ascii")
    matches = [hmac.compare_digest(given, sign(secret, body)) for secret in secrets]
    return any(matches)


def sign(secret: str, body: bytes) -> bytes:
    """The value of `X-Hub-Signature-256` for a body."""
    return b"sha256=" + hmac.digest(secret.encode(), body, "sha256").hex().encode()
