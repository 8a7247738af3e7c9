"""Looks at environments: asked for by whoever wants to know, kept until the next one."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from redis import Redis

from workers.ledger import keys, messages
from workers.ledger.model.masked import Mask
from workers.ledger.model.observation import Observation
from workers.ledger.model.order import key_of
from workers.ledger.scripts import Scripts

PATIENCE_MILLISECONDS = 10_000


class Observations:
    """The latest look at each environment."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._scripts = Scripts(redis)

    def latest(self, environment: str) -> Observation | None:
        """The latest look at an environment, or None if there was none."""
        return self.every([environment])[environment]

    def every(self, environments: Iterable[str]) -> dict[str, Observation | None]:
        """The latest look at each environment."""
        names = list(environments)
        texts = self._redis.hmget(keys.OBSERVED, names) if names else []
        found = (Observation.model_validate_json(text) if text else None for text in texts)
        return dict(zip(names, found, strict=True))

    def write(self, observation: Observation, mask: Mask = str) -> bool:
        """Keep a look, unless a later one is known."""
        name, text = observation.environment, observation.model_dump_json(context=mask)
        return bool(self._scripts("observed", environment=name, at=observation.at, what=text))

    def ask(self, environment: str, on: str) -> int:
        """Have a worker look; looks that began at this time or later (milliseconds) answer it."""
        message = messages.message(messages.LOOK, str(uuid4()), environment, on)
        asked = self._scripts(
            "look",
            environment=environment,
            broker_queue=messages.key(on),
            message=message,
            patience=PATIENCE_MILLISECONDS,
        )
        return int(asked)

    def asked(self, environment: str) -> int | None:
        """When somebody asked for a look that nobody has answered, in milliseconds since 1970."""
        found = self._redis.get(keys.look(environment))
        return int(found) if found else None

    def run_of(self, repository_id: int, environment: str, commit: str) -> str | None:
        """The run that deploys a commit to an environment, if there is one."""
        key = key_of(repository_id, "deploy", environment, commit)
        found: str | None = self._redis.get(keys.order(key))
        return found

    def repaired(self, place: str, environment: str, what: dict[str, Any]) -> bool:
        """Write into an environment's history that an alias was put back to its record."""
        text = json.dumps(what | {"event": "repaired"})
        version = str(what["version"])
        return bool(
            self._scripts(
                "repaired",
                place=place,
                version=version,
                environment=environment,
                what=text,
                kept=keys.RELEASES_KEPT,
            )
        )
