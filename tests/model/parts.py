"""What all stories share: one web process's and one worker's insides, and what is around them."""

import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.inside import Inside
from tests.model.redis_gate import RedisGate
from tests.model.watched import RUN, Watched
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.github import GitHub
from workers.aws import session
from workers.aws.session import Aws

BUCKET = "packages-of-the-model"
ALARM = "the-alarm-of-the-model"
BRANCHES = {"develop": "sandbox", "preprod": "staging", "master": "production"}
"""The branches that stories push to, and their environments; staging releases gradually."""

ASIDE = "hotfix"
"""A branch, and its environment, that no story knows: it releases all at once."""

OPERATOR = f"""
[environments.sandbox]
branch = "develop"

[environments.staging]
branch = "preprod"
strategy = "linear-40-percent-every-1-minute"
alarms = ["{ALARM}"]

[environments.hotfix]
branch = "hotfix"

[environments.production]
branch = "master"
approval = {{ required = 1, timeout = "2h" }}
operators = ["alice"]

[[repositories]]
name = "octo/*"
functions = ["F*"]
bucket = "{BUCKET}"
"""


class Unhurried(Aws):
    """A session without the budget of calls a second, which has tests of its own.

    It says for which run it is: what a dead or stopped worker has sent may come at any time.
    """

    run_id = ""

    @functools.cached_property
    def lambda_(self) -> Any:
        """The client of Lambda."""
        client = self._client("lambda")
        client.meta.events.register("before-sign.lambda", self._signed)
        return client

    def _signed(self, request: Any, **_: object) -> None:
        if self.run_id:
            request.headers[RUN] = self.run_id


def unhurried(run_id: str = "") -> None:
    """Have this process use it, as a forked child must once more."""
    session._known.forget()
    known = session._known._sessions[None, None] = Unhurried(attempts=1)
    known.run_id = run_id


@dataclass
class Parts:
    """What all examples share."""

    inside: Inside
    doomed: Inside
    gate: RedisGate
    strict: Watched
    cloud: AwsStandIn
    numbers: Iterator[int]
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def github(self) -> GitHub:
        """Where repositories are."""
        return self.inside.github
