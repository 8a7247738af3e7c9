"""Whether the process lives, whether it can do its work, and what it has counted."""

from typing import Any

from flask import Blueprint, Response, jsonify
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from service.answer import response
from service.health_answers import readiness
from service.observed_metrics import Observed
from service.problems import problem
from service.web import Web
from workers.ledger import NotDurableError
from workers.ledger.history import History

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> Response:
    """The ledger takes a write too, so deliveries can be taken."""
    try:
        Web.current().ledger.probe()
    except (RedisError, NotDurableError) as error:
        return response(readiness(error))
    return response(readiness(None))


@blueprint.get("/metrics")
def metrics() -> Response:
    """Counts and gauges for Prometheus; they name no repository, so they need no token."""
    web = Web.current()
    registry = CollectorRegistry()
    registry.register(_Ledger(web.ledger.history))
    registry.register(Observed(web))
    try:
        text = generate_latest(registry)
    except RedisError as error:
        return problem(503, f"The ledger is out of reach: {error}", **{"Retry-After": "5"})
    return Response(text, content_type=CONTENT_TYPE_PLAIN_1_0_0)


class _Ledger(Collector):
    """The ledger's numbers, read at the moment they are asked for."""

    def __init__(self, history: History) -> None:
        self._history = history

    def describe(self) -> list[Any]:
        """Nothing beforehand: what is counted shows when it is collected."""
        return []

    def collect(self) -> list[CounterMetricFamily | GaugeMetricFamily]:
        """Every counter and gauge."""
        ended = CounterMetricFamily("slipway_runs_ended", "Runs that ended", labels=["state"])
        families: list[CounterMetricFamily | GaugeMetricFamily] = [ended]
        for name, value in self._history.counters().items():
            kind, _, state = name.partition("_")
            if kind == "runs" and state != "accepted":
                ended.add_metric([state], value)
            else:
                families.append(CounterMetricFamily(f"slipway_{name}", name, value=value))
        for name, number in self._history.gauges().items():
            families.append(GaugeMetricFamily(f"slipway_{name}", name.replace("_", " "), number))
        return families
