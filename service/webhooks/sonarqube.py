"""POST /webhooks/sonarqube: SonarQube has dealt with an analysis, so the run that waits looks.

What the delivery says of the gate is not believed: the worker asks SonarQube itself.
"""

import hmac
import re

import structlog
from flask import Blueprint, Response, abort, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from redis.exceptions import RedisError

from config.values import first
from service.problems import problem
from service.web import TOLD, Web
from service.webhooks.body import whole
from workers.ledger import keys

MOST_BYTES = 256 * 1024
HEADER = "X-Sonar-Webhook-HMAC-SHA256"
IGNORED = {
    "unknown": "no run waits for this task",
    "over": "the run no longer waits for this task",
}
_SIGNATURE = re.compile(r"[0-9a-f]{64}")

blueprint = Blueprint("sonarqube", __name__)
log = structlog.get_logger()


class Delivery(BaseModel):
    """What SonarQube sends, as far as it matters here.

    A delivery after somebody has changed an issue has no task. Source:
    https://docs.sonarsource.com/sonarqube-server/discovering/integrations/webhooks
    """

    model_config = ConfigDict(strict=True)

    task: str | None = Field(None, alias="taskId", max_length=200)


@blueprint.post("/webhooks/sonarqube")
def sonarqube() -> Response:
    """Wake the run that waits for a task: 202, or 200 with the reason why none is woken."""
    web = Web.current()
    task = _task(_genuine(web))
    request.environ[TOLD] = True
    if task is None:
        log.info("sonarqube_delivery", task=None)
        return jsonify(ignored="the delivery names no taskId")
    run_id, what = web.ledger.wake(keys.event(task))
    log.info("sonarqube_delivery", task=task, run=run_id, what=what)
    if what in IGNORED:
        return jsonify(ignored=IGNORED[what])
    response = jsonify(run_id=run_id)
    response.status_code = 202
    return response


def _genuine(web: Web) -> bytes:
    """The body, if SonarQube signed it."""
    secret = web.settings.sonar_webhook_secret
    if secret is None:
        # Not 404: the endpoint is there, and no signature can be right.
        abort(401, "No delivery can be verified: set SONAR_WEBHOOK_SECRET to the webhook's secret.")
    found = whole(MOST_BYTES, "256 KB")
    given = request.headers.get(HEADER, "")
    expected = sign(secret.get_secret_value(), found)
    if not _SIGNATURE.fullmatch(given) or not hmac.compare_digest(given, expected):
        abort(401, f"{HEADER} is missing or is not this body's signature.")
    return found


def sign(secret: str, data: bytes) -> str:
    """The value of `X-Sonar-Webhook-HMAC-SHA256` for a body: bare hexadecimal digits."""
    return hmac.digest(secret.encode(), data, "sha256").hex()


def _task(data: bytes) -> str | None:
    try:
        return Delivery.model_validate_json(data).task
    except ValidationError as error:
        abort(400, f"The payload can't be read: {first(error)}")


@blueprint.errorhandler(RedisError)
def _unavailable(error: Exception) -> Response:
    log.warning("ledger_unavailable", error=str(error))
    return problem(503, "The ledger can't take it now; deliver it again.", **{"Retry-After": "5"})
