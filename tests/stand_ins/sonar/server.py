"""A SonarQube that takes reports, decides when it is told to, and rings its webhook."""

import hmac
import itertools
import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from local.ports import HOST
from tests.stand_ins.github.faults import Fault, Faults

TOKEN = "squ-a-token-of-sonarqube"
WEBHOOK_SECRET = "a webhook secret of sonarqube"
JSON = dict[str, Any]
PASSED: JSON = {
    "status": "OK",
    "conditions": [
        {
            "status": "OK",
            "metricKey": "new_coverage",
            "comparator": "LT",
            "errorThreshold": "80",
            "actualValue": "91.3",
        }
    ],
}
FAILED: JSON = {
    "status": "ERROR",
    "conditions": [
        {
            "status": "ERROR",
            "metricKey": "new_coverage",
            "comparator": "LT",
            "errorThreshold": "80",
            "actualValue": "61.2",
        },
        {
            "status": "ERROR",
            "metricKey": "new_reliability_rating",
            "comparator": "GT",
            "errorThreshold": "1",
            "actualValue": "3",
        },
        *PASSED["conditions"],
    ],
}


class Request(NamedTuple):
    """One request as it came in, and what it was answered; no status for a dropped one."""

    at: float
    path: str
    token: str
    status: int | None


@dataclass
class Analysis:
    """One report that a scanner has handed in."""

    task: str
    sent: JSON
    status: str = "PENDING"
    id: str | None = None
    gate: JSON = field(default_factory=dict)
    error: str | None = None

    @property
    def properties(self) -> dict[str, str]:
        """What the scanner was told, but for the token."""
        return self.sent["properties"]

    @property
    def files(self) -> dict[str, str]:
        """What the scanner has read as sources."""
        return self.sent["files"]


class SonarQube:
    """A running stand-in; use it with `with`.

    `gate` is what an analysis gets, `delay` seconds after the report, or without one when
    `decide` says so; `webhook` is where it rings then. `projects` are those that may be analysed.
    """

    def __init__(self, host: str = HOST, port: int = 0) -> None:
        self.host, self.port = host, port
        self.token = TOKEN
        self.delay: float | None = 0.0
        self.gate: JSON = PASSED
        self.webhook: str | None = None
        self.projects: set[str] | None = None
        self.analyses: list[Analysis] = []
        self.requests: list[Request] = []
        self.rung: list[int | None] = []
        self.faults = Faults()
        self._ids = itertools.count(1)
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it is, or would be."""
        return f"http://{self.host}:{self.port}"

    def fail_next(self, path_regex: str, times: int = 1, **what: Any) -> Fault:
        """Order a fault: `status`, `body`, `delay`, `drop_connection`."""
        return self.faults.add("*", path_regex, times=times, **what)

    def asked(self, path: str) -> list[Request]:
        """The requests to one path."""
        return [one for one in self.requests if one.path == path]

    def decide(self, analysis: Analysis, gate: JSON | None = None, **changes: Any) -> None:
        """End an analysis with a gate, and ring the webhook as SonarQube does."""
        analysis.id = f"AX-analysis-{next(self._ids)}"
        analysis.gate = self.gate if gate is None else gate
        analysis.status = "SUCCESS"
        for name, value in changes.items():
            setattr(analysis, name, value)
        if self.webhook:
            self.rung.append(self.ring(analysis))

    def ring(self, analysis: Analysis, secret: str = WEBHOOK_SECRET, **changes: Any) -> int | None:
        """Send the webhook of an analysis; what it is answered."""
        body = json.dumps(payload(self.url, analysis) | changes).encode()
        assert self.webhook
        request = urllib.request.Request(self.webhook, data=body, method="POST")
        request.add_header("Content-Type", "application/json; charset=utf-8")
        request.add_header("X-SonarQube-Project", str(analysis.properties["sonar.projectKey"]))
        signature = hmac.digest(secret.encode(), body, "sha256").hex()
        request.add_header("X-Sonar-Webhook-HMAC-SHA256", signature)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int | None, bytes]:
        """Answer one request: status and JSON; no status to drop the connection."""
        url = urlsplit(handler.path)
        token = handler.headers.get("Authorization", "").removeprefix("Bearer ")
        fault = self.faults.strike("*", url.path)
        status: int | None
        if fault and fault.delay:
            time.sleep(fault.delay)
        if fault and (fault.drop_connection or fault.status is not None):
            status, answer = fault.status, fault.body or {"errors": [{"msg": "out of order"}]}
            status = None if fault.drop_connection else status
        else:
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            status, answer = self._answer(url.path, query, token, body)
        self.requests.append(Request(time.time(), url.path, token, status))
        return status, answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def _answer(self, path: str, query: dict[str, str], token: str, body: bytes) -> tuple[int, Any]:
        good = hmac.compare_digest(token.encode(), self.token.encode())
        if path == "/api/authentication/validate":
            return 200, {"valid": good}
        if not good or path == "/api/server/version":
            return (200, b"10.6.0.92116") if good else (401, b"")
        if path == "/api/ce/submit":
            return self._submit(json.loads(body))
        for one in self.analyses:
            if path == "/api/ce/task" and one.task == query.get("id"):
                return 200, {"task": task(one)}
            if path.endswith("/project_status") and one.id and one.id == query.get("analysisId"):
                return 200, {"projectStatus": one.gate}
        return nothing(path)

    def _submit(self, sent: JSON) -> tuple[int, JSON]:
        project = sent["properties"]["sonar.projectKey"]
        if self.projects is not None and project not in self.projects:
            why = (
                "You're not authorized to analyze this project or the project doesn't exist on "
                "SonarQube and you're not authorized to create it. Please contact an administrator."
            )
            return 403, {"errors": [{"msg": why}]}
        analysis = Analysis(f"AX-task-{next(self._ids)}", sent)
        self.analyses.append(analysis)
        if self.delay is not None:
            threading.Timer(self.delay, self.decide, [analysis]).start()
        return 200, {"taskId": analysis.task, "projectId": "AX-project"}

    def start(self) -> Self:
        """Listen, at the port that it had before if it had one."""
        self._server = ThreadingHTTPServer((self.host, self.port), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_port
        options = {"poll_interval": 0.05}
        target = self._server.serve_forever
        threading.Thread(target=target, kwargs=options, daemon=True).start()
        return self

    def stop(self) -> None:
        """Listen no more: who asks now is refused."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def nothing(what: str) -> tuple[int, JSON]:
    """A 404 as SonarQube writes it."""
    return 404, {"errors": [{"msg": f"{what} not found"}]}


def task(analysis: Analysis) -> JSON:
    """A task as `api/ce/task` shows it."""
    shown = {"id": analysis.task, "type": "REPORT", "status": analysis.status}
    if analysis.id and analysis.status == "SUCCESS":
        shown["analysisId"] = analysis.id
    return shown | ({"errorMessage": analysis.error} if analysis.error else {})


def payload(url: str, analysis: Analysis) -> JSON:
    """What the webhook carries."""
    key = analysis.properties["sonar.projectKey"]
    conditions = [
        {
            "metric": one["metricKey"],
            "operator": {"LT": "LESS_THAN", "GT": "GREATER_THAN"}[one["comparator"]],
            "value": one["actualValue"],
            "status": one["status"],
            "errorThreshold": one["errorThreshold"],
        }
        for one in analysis.gate.get("conditions", [])
    ]
    return {
        "serverUrl": url,
        "taskId": analysis.task,
        "status": analysis.status,
        "analysedAt": "2026-11-25T10:00:00+0000",
        "revision": analysis.properties.get("sonar.scm.revision"),
        "project": {"key": key, "name": key, "url": f"{url}/dashboard?id={key}"},
        "qualityGate": {
            "name": "Sonar way",
            "status": analysis.gate.get("status"),
            "conditions": conditions,
        },
        "properties": {},
    }


def _handler(sonar: SonarQube) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do(b"")

        def do_POST(self) -> None:
            self._do(self.rfile.read(int(self.headers["Content-Length"])))

        def _do(self, body: bytes) -> None:
            status, text = sonar.answer(self, body)
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Nothing: `requests` has it."""

    return Handler
