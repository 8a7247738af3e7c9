"""Webhooks: signing, sending and remembering each delivery."""

import hashlib
import hmac
import itertools
import json
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import requests

from tests.stand_ins.github.model import Delivery, Hook, now
from tests.stand_ins.github.payloads import number_of

LARGEST_BODY = 25 * 1024 * 1024
TIME_LIMIT = 10.0
MEDIA_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}


def sign(secret: str, body: bytes, algorithm: str = "sha256") -> str:
    """The value of `X-Hub-Signature-256` for a body (with `sha1`: of `X-Hub-Signature`)."""
    return f"{algorithm}={hmac.new(secret.encode(), body, algorithm).hexdigest()}"


def encoded(payload: Any, content_type: str) -> bytes:
    """A payload as the body of a delivery; bytes are taken as they are."""
    if isinstance(payload, bytes):
        return payload
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return text.encode() if content_type == "json" else urlencode({"payload": text}).encode()


class Sender:
    """Sends deliveries within a time limit, in seconds, and keeps them in order of sending."""

    def __init__(self, time_limit: float = TIME_LIMIT) -> None:
        self.time_limit = time_limit
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._all: dict[int, Delivery] = {}

    @property
    def all(self) -> list[Delivery]:
        """Every delivery so far, in order of sending."""
        with self._lock:
            return [self._all[number] for number in sorted(self._all)]

    def send(
        self,
        hook: Hook,
        event: str,
        payload: Any,
        *,
        guid: str | None = None,
        redelivery: bool = False,
        headers: Mapping[str, str | None] | None = None,
    ) -> Delivery | None:
        """POST one delivery and remember it; None for a body above 25 MB, which GitHub drops."""
        body = encoded(payload, hook.content_type)
        if len(body) > LARGEST_BODY:
            return None
        number, guid = next(self._ids), guid or str(uuid.uuid4())
        merged = _headers(hook, event, guid, body) | dict(headers or {})
        given = {name: value for name, value in merged.items() if value is not None}
        began, at = time.monotonic(), now()
        status, code, response = self._post(hook.url, body, given)
        return self._keep(
            hook,
            Delivery(
                id=number,
                guid=guid,
                hook_id=hook.id,
                event=event,
                action=payload.get("action") if isinstance(payload, dict) else None,
                repository=hook.repository or None,
                url=hook.url,
                delivered_at=at,
                duration=round(time.monotonic() - began, 3),
                redelivery=redelivery,
                status=status,
                status_code=code,
                request_headers=given,
                payload=None if isinstance(payload, bytes) else payload,
                body=body,
                response_headers=dict(response.headers) if response is not None else {},
                response_body=response.text if response is not None else "",
            ),
        )

    def _post(
        self, url: str, body: bytes, headers: dict[str, str]
    ) -> tuple[str, int, requests.Response | None]:
        try:
            with requests.Session() as session:
                session.trust_env = False
                response = session.post(
                    url, data=body, headers=headers, timeout=self.time_limit, allow_redirects=False
                )
        except requests.Timeout:
            return "timed out", 504, None
        except requests.RequestException:
            return "failed to connect to host", 502, None
        status = "OK" if response.ok else f"Invalid HTTP Response: {response.status_code}"
        return status, response.status_code, response

    def _keep(self, hook: Hook, delivery: Delivery) -> Delivery:
        word = "active" if delivery.ok else delivery.status
        hook.last_response = {
            "code": delivery.status_code,
            "status": word,
            "message": delivery.status,
        }
        with self._lock:
            self._all[delivery.id] = delivery
        return delivery


def _headers(hook: Hook, event: str, guid: str, body: bytes) -> dict[str, str | None]:
    signatures = {
        "X-Hub-Signature": sign(hook.secret, body, "sha1") if hook.secret else None,
        "X-Hub-Signature-256": sign(hook.secret, body) if hook.secret else None,
    }
    return {
        "Accept": "*/*",
        "Content-Type": MEDIA_TYPES[hook.content_type],
        "User-Agent": f"GitHub-Hookshot/{hashlib.sha256(hook.url.encode()).hexdigest()[:7]}",
        "X-GitHub-Delivery": guid,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": str(hook.id),
        "X-GitHub-Hook-Installation-Target-ID": str(number_of(hook.repository)),
        "X-GitHub-Hook-Installation-Target-Type": "repository",
    } | signatures
