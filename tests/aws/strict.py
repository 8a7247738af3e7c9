"""A stricter AWS: an HTTP proxy in front of moto that adds AWS's guards, delays and accidents."""

import json
import re
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import quote, urlsplit

from tests.aws.wire import Answer, Request, changed, handler, refusal

EXCLUSIVE = {"UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion"}
"""What AWS refuses while an update is in progress."""


@dataclass
class Fault:
    """An accident to come: an error answer, or a connection cut before or after the work."""

    status: int = 503
    code: str = "ServiceUnavailable"
    message: str = "injected"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    cut_after_success: bool = False


@dataclass
class Function:
    """What AWS knows of a function's $LATEST and moto doesn't."""

    revision: str = field(default_factory=lambda: str(uuid.uuid4()))
    busy_until: float = 0
    failure: tuple[str, str] | None = None
    next_failure: tuple[str, str] | None = None
    pending_versions: dict[str, float] = field(default_factory=dict)
    published: str = ""
    configured: bool = False

    @property
    def busy(self) -> bool:
        """Whether an update is in progress; the revision changes once more when it ends."""
        if self.busy_until and time.monotonic() >= self.busy_until:
            self.busy_until = 0
            self.touch()
        return bool(self.busy_until)

    def touch(self) -> None:
        """Give it a new revision."""
        self.revision = str(uuid.uuid4())


class StrictAws:
    """The proxy; `calls` counts what arrived, `struck` the accidents that happened.

    `update_seconds` and `version_seconds` are how long an update and a new version take.
    """

    def __init__(self, upstream: str, *, page: int = 50) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.page = page
        self.update_seconds = 0.0
        self.version_seconds = 0.0
        self.role_seconds: float | None = None
        self.roles: dict[str, float] = {}
        self.code_storage = (1 << 30, 80530636800)
        self.calls: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.requests: list[Request] = []
        self._faults: dict[str, deque[Fault]] = {}
        self._meanwhile: dict[str, deque[Callable[[], object]]] = {}
        self._functions: dict[str, Function] = {}
        self._aliases: dict[tuple[str, str], str] = {}
        self._amends = {
            "UpdateFunctionCode": self._updated,
            "UpdateFunctionConfiguration": self._updated,
            "GetFunction": self._shown,
            "PublishVersion": self._published,
            "ListVersionsByFunction": self._paged,
            "GetAlias": self._alias_shown,
            "CreateAlias": self._alias_made,
            "UpdateAlias": self._alias_moved,
            "AssumeRole": self._role,
        }
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self.answer))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fail_next(self, operation: str, times: int = 1, **fault: Any) -> None:
        """The next `times` calls of an operation meet this Fault."""
        self._faults.setdefault(operation, deque()).extend([Fault(**fault)] * times)

    def fail_update(self, function: str, code: str, reason: str) -> None:
        """The next update of this function ends as Failed."""
        self._of(function).next_failure = (code, reason)

    def meanwhile(self, operation: str, action: Callable[[], object]) -> None:
        """Run `action` once, just before the next call of an operation is looked at."""
        self._meanwhile.setdefault(operation, deque()).append(action)

    def answer(self, request: Request) -> Answer | None:
        """What AWS would say; None cuts the connection."""
        operation = request.operation
        self.calls[operation] += 1
        self.requests.append(request)
        for _ in range(len(self._meanwhile.get(operation, ()))):
            self._meanwhile[operation].popleft()()
        fault = self._faults[operation].popleft() if self._faults.get(operation) else None
        if fault:
            self.struck[operation] += 1
            if fault.cut_after_success:
                self._work(request)
            if fault.cut or fault.cut_after_success:
                return None
            return refusal(request, fault.status, fault.code, fault.message, fault.headers)
        if self.expired(request.headers.get("X-Amz-Security-Token", "")):
            text = "The security token included in the request is expired"
            return refusal(request, 403, "ExpiredTokenException", text)
        if request.operation == "GetAccountSettings":
            return self._settings()
        return self._work(request)

    def expired(self, token: str) -> bool:
        """Whether a role's token is one that counts no more."""
        return time.time() > self.roles.get(token, float("inf"))

    def _of(self, function: str) -> Function:
        return self._functions.setdefault(function, Function())

    def _work(self, request: Request) -> Answer:
        # S3's large transfers needn't wait for each other, except a conditional write.
        if not request.function and "If-None-Match" not in request.headers:
            return self._amended(request, self.forward(request))
        with self._lock:
            return self._refused(request) or self._amended(request, self._done(request))

    def _done(self, request: Request) -> Answer:
        """What moto makes of it, where moto does as AWS does."""
        if request.operation == "PublishVersion":
            return self._unchanged(request) or self.forward(request)
        if request.operation == "CopyObject" and self._exists(request):
            text = "At least one of the pre-conditions you specified did not hold"
            return refusal(request, 412, "PreconditionFailed", text)
        return self.forward(request)

    def _exists(self, request: Request) -> bool:
        headers = {"Authorization": request.headers["Authorization"]}
        return self.forward(Request("HEAD", request.path, headers, b"")).status < 300

    def _unchanged(self, request: Request) -> Answer | None:
        """The last version once more, where neither code nor configuration changed since."""
        state = self._of(request.function)
        if not state.published or state.configured:
            return None
        latest, last = self._configuration(request), self._configuration(request, state.published)
        if latest.get("CodeSha256") != last.get("CodeSha256"):
            return None
        return changed(Answer(201, {"Content-Type": "application/json"}, b"{}"), last)

    def _configuration(self, request: Request, qualifier: str = "") -> dict[str, Any]:
        path = f"/2015-03-31/functions/{quote(request.function)}"
        query = f"?Qualifier={qualifier}" if qualifier else ""
        # Only what tells moto the region; not the length and type of the other request's body.
        headers = {"Authorization": request.headers["Authorization"]}
        answer = self.forward(Request("GET", path + query, headers, b"")).json
        return dict(answer.get("Configuration", {}))

    def forward(self, request: Request) -> Answer:
        """Ask moto."""
        upstream = HTTPConnection(self.upstream, timeout=30)
        try:
            upstream.request(request.method, request.path, request.body, dict(request.headers))
            answer = upstream.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            upstream.close()

    def _refused(self, request: Request) -> Answer | None:
        state = self._of(request.function)
        if request.operation in EXCLUSIVE:
            if state.busy:
                arn = f"arn:aws:lambda:eu-west-3:123456789012:function:{request.function}"
                text = (
                    "The operation cannot be performed at this time. An update is in progress "
                    f"for resource: {arn}"
                )
                return refusal(request, 409, "ResourceConflictException", text)
            wanted, current = request.json.get("RevisionId"), state.revision
        elif request.operation == "DeleteFunction":
            return self._led_to(request)
        elif request.operation == "UpdateAlias":
            wanted = request.json.get("RevisionId")
            current = self._alias(request.function, request.name)
        else:
            return None
        if wanted not in (None, current):
            text = (
                "The Revision Id provided does not match the latest Revision Id. "
                "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
            )
            return refusal(request, 412, "PreconditionFailedException", text)
        return self._other_code(request) or _bad_routing(request)

    def _other_code(self, request: Request) -> Answer | None:
        wanted = request.json.get("CodeSha256")
        if not wanted:
            return None
        current = self._configuration(request).get("CodeSha256")
        if wanted == current:
            return None
        text = (
            f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({current}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )
        return refusal(request, 400, "InvalidParameterValueException", text)

    def _led_to(self, request: Request) -> Answer | None:
        """A version that an alias leads to can't go; moto lets it."""
        version = request.query.get("Qualifier")
        path = f"/2015-03-31/functions/{quote(request.function)}/aliases"
        headers = {"Authorization": request.headers["Authorization"]}
        for alias in self.forward(Request("GET", path, headers, b"")).json.get("Aliases", ()):
            weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
            if version in {alias["FunctionVersion"], *weights}:
                text = f"Version {version} is referenced by the alias {alias['Name']}"
                return refusal(request, 409, "ResourceConflictException", text)
        return None

    def _settings(self) -> Answer:
        """What moto doesn't know of an account."""
        used, limit = self.code_storage
        body = {"AccountUsage": {"TotalCodeSize": used}, "AccountLimit": {"TotalCodeSize": limit}}
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def _alias(self, function: str, name: str) -> str:
        return self._aliases.setdefault((function, name), str(uuid.uuid4()))

    def _amended(self, request: Request, answer: Answer) -> Answer:
        amend = self._amends.get(request.operation)
        if request.operation == "CreateAlias" and answer.status == 409:
            text = f"Alias already exists: {request.json['Name']}"
            return refusal(request, 409, "ResourceConflictException", text)
        if amend is None or answer.status >= 300:
            return answer
        return amend(request, answer)

    def _updated(self, request: Request, answer: Answer) -> Answer:
        state = self._of(request.function)
        state.touch()
        state.failure, state.next_failure = state.next_failure, None
        state.busy_until = time.monotonic() + self.update_seconds
        state.configured |= request.operation == "UpdateFunctionConfiguration"
        return changed(answer, {"RevisionId": state.revision, **self._status(state)})

    def _shown(self, request: Request, answer: Answer) -> Answer:
        state = self._of(request.function)
        qualifier = request.query.get("Qualifier")
        if qualifier:
            pending = state.pending_versions.get(qualifier, 0) > time.monotonic()
            extra = {"State": "Pending" if pending else "Active"}
        else:
            extra = {**self._status(state), "RevisionId": state.revision}
        whole = answer.json
        return changed(answer, {"Configuration": {**whole["Configuration"], **extra}})

    def _status(self, state: Function) -> dict[str, str]:
        if state.busy:
            return {"LastUpdateStatus": "InProgress"}
        if not state.failure:
            return {"LastUpdateStatus": "Successful"}
        code, reason = state.failure
        return {
            "LastUpdateStatus": "Failed",
            "LastUpdateStatusReasonCode": code,
            "LastUpdateStatusReason": reason,
        }

    def _published(self, request: Request, answer: Answer) -> Answer:
        state = self._of(request.function)
        state.touch()
        state.published, state.configured = answer.json["Version"], False
        until = time.monotonic() + self.version_seconds
        state.pending_versions.setdefault(answer.json["Version"], until)
        return changed(answer, {"RevisionId": str(uuid.uuid4())})

    def _paged(self, request: Request, answer: Answer) -> Answer:
        everything = answer.json["Versions"]
        if not everything:
            text = f"Function not found: {request.function}"
            return refusal(request, 404, "ResourceNotFoundException", text)
        start = int(request.query.get("Marker", "0"))
        end = start + self.page
        more = {"NextMarker": str(end)} if end < len(everything) else {}
        return changed(answer, {"Versions": everything[start:end], **more})

    def _alias_shown(self, request: Request, answer: Answer) -> Answer:
        return changed(answer, {"RevisionId": self._alias(request.function, request.name)})

    def _alias_made(self, request: Request, answer: Answer) -> Answer:
        name = request.json["Name"]
        self._aliases.pop((request.function, name), None)
        return changed(answer, {"RevisionId": self._alias(request.function, name)})

    def _alias_moved(self, request: Request, answer: Answer) -> Answer:
        self._aliases.pop((request.function, request.name), None)
        return self._alias_shown(request, answer)

    def _role(self, request: Request, answer: Answer) -> Answer:
        if self.role_seconds is None:
            return answer
        found = re.search(rb"<SessionToken>([^<]*)</SessionToken>", answer.body)
        self.roles[found[1].decode() if found else ""] = time.time() + self.role_seconds
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.role_seconds))
        expiry = f"<Expiration>{end}</Expiration>".encode()
        body = re.sub(rb"<Expiration>[^<]*</Expiration>", expiry, answer.body)
        return Answer(answer.status, answer.headers, body)


def _bad_routing(request: Request) -> Answer | None:
    wanted = request.json
    weights = (wanted.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    if wanted.get("FunctionVersion") not in weights:
        return None
    text = "The function version is already included in routing configuration."
    return refusal(request, 400, "InvalidParameterValueException", text)
