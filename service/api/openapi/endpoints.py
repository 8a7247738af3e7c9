"""One entry for each endpoint: what it takes and answers. A test says which one is missing."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, Field

from service.actions.approve import Word
from service.actions.lock import Locking, Unlocking
from service.actions.rollback import Wanted
from service.api import plan
from service.api.environments import Page
from service.api.owners import Taking
from service.api.runs import Filters
from service.api.shapes import environments, runs
from service.api.shapes import plan as plans

Body = type[BaseModel] | str | None
"""JSON of this shape, or this media type, or nothing."""

TEXT = "text/plain"
EVENTS = "text/event-stream"
ANY = "*/*"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class After(BaseModel):
    """Where to go on in a log."""

    after: str | None = Field(None, description="the cursor of an earlier answer")


class EventsAfter(BaseModel):
    """Where to go on among events; the header Last-Event-ID comes first."""

    after: str | None = Field(None, description="an event's id, or a cursor of the log")


@dataclass(frozen=True)
class Endpoint:
    """What one endpoint takes and answers.

    `answers` by status; `errors` are the problems of its own, beside those that all have; `takes`
    the media types of bodies that are no JSON of ours; `headers` those it needs or knows, and
    whether it needs them.
    """

    answers: Mapping[int, Body]
    errors: tuple[int, ...] = ()
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    takes: tuple[str, ...] = ()
    headers: Mapping[str, bool] | None = None


ENDPOINTS: Mapping[str, Endpoint] = {
    "GET /api/v1/runs": Endpoint({200: runs.Runs}, (400,), query=Filters),
    "GET /api/v1/runs/<run_id>": Endpoint({200: runs.WholeRun}, (404,)),
    "GET /api/v1/runs/<run_id>/log": Endpoint({200: TEXT}, (400, 404), query=After),
    "GET /api/v1/runs/<run_id>/events": Endpoint(
        {200: EVENTS, 204: None}, (400, 404), query=EventsAfter, headers={"Last-Event-ID": False}
    ),
    "GET /api/v1/runs/<run_id>/reports/<check>/<path>": Endpoint({200: ANY}, (404,)),
    "POST /api/v1/runs/<run_id>/approve": Endpoint(
        {202: runs.Counted}, (400, 403, 404, 409, 413), body=Word
    ),
    "POST /api/v1/runs/<run_id>/reject": Endpoint(
        {202: runs.Counted}, (400, 403, 404, 409, 413), body=Word
    ),
    "POST /api/v1/runs/<run_id>/cancel": Endpoint({202: runs.Cancelled}, (404, 409)),
    "POST /api/v1/runs/<run_id>/retry": Endpoint({202: runs.Repeated}, (403, 404, 409, 410, 423)),
    "GET /api/v1/tasks/<task_id>": Endpoint({200: runs.Task}, (404,)),
    "GET /api/v1/environments": Endpoint({200: environments.Environments}),
    "GET /api/v1/environments/<name>": Endpoint({200: plans.Plan}, (400, 404), query=plan.Asked),
    "GET /api/v1/environments/<name>/releases": Endpoint(
        {200: environments.Releases}, (400, 404), query=Page
    ),
    "POST /api/v1/environments/<name>/rollback": Endpoint(
        {202: environments.RolledBack}, (400, 403, 404, 409, 410, 413, 423), body=Wanted
    ),
    "POST /api/v1/environments/<name>/lock": Endpoint(
        {200: environments.Locked}, (400, 403, 404, 409, 413), body=Locking
    ),
    "POST /api/v1/environments/<name>/unlock": Endpoint(
        {200: environments.Unlocked}, (400, 403, 404, 409, 413), body=Unlocking
    ),
    "POST /api/v1/releases/take-over": Endpoint(
        {200: environments.TakenOver}, (400, 403, 404, 413), body=Taking
    ),
    "POST /webhooks/github": Endpoint(
        {200: runs.Ignored, 202: runs.Accepted},
        (400, 401, 411, 413, 503),
        takes=(JSON, FORM),
        headers={"X-Hub-Signature-256": True, "X-GitHub-Event": True, "X-GitHub-Delivery": True},
    ),
    "POST /webhooks/slack": Endpoint(
        {200: runs.Pressed},
        (400, 401, 413, 503),
        takes=(FORM,),
        headers={"X-Slack-Signature": True, "X-Slack-Request-Timestamp": True},
    ),
    "POST /webhooks/sonarqube": Endpoint(
        {200: runs.Ignored, 202: runs.Woken},
        (400, 401, 411, 413, 503),
        takes=(JSON,),
        headers={"X-Sonar-Webhook-HMAC-SHA256": True},
    ),
    "GET /healthz": Endpoint({200: runs.Health}),
    "GET /readyz": Endpoint({200: runs.Health}, (503,)),
    "GET /metrics": Endpoint({200: TEXT}, (503,)),
    "GET /openapi.json": Endpoint({200: JSON}),
}
