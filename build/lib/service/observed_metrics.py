"""Gauges of what workers saw of the environments: drift, and how full the code storage is."""

from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service.web import Web
from workers.ledger.observations import Observations

LABELS = ("environment",)


class Observed(Collector):
    """The latest look at each environment."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def describe(self) -> list[Any]:
        """Nothing beforehand: what there is shows when it is collected."""
        return []

    def collect(self) -> list[GaugeMetricFamily]:
        """The gauges of every environment that was looked at."""
        drift = _gauge("drift_functions", "Functions that are not as Slipway left them")
        age = _gauge("observed_age_seconds", "Seconds since a worker looked at the environment")
        used = _gauge("code_storage_used_bytes", "Lambda's code storage of account and region")
        limit = _gauge("code_storage_limit_bytes", "What there may be of it")
        now = self._web.ledger.now()
        observations = Observations(self._web.ledger.redis)
        for name, found in observations.every(self._web.operator.environments).items():
            if found is None:
                continue
            drift.add_metric([name], len(found.drifted))
            age.add_metric([name], max(0, now - found.at) / 1000)
            if found.storage:
                used.add_metric([name], found.storage.used)
                limit.add_metric([name], found.storage.limit)
        return [drift, age, used, limit]


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"slipway_{name}", text, labels=LABELS)
