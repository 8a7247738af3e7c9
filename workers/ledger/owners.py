"""Whom each alias and site belongs to: one repository, by its id, in one environment."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict
from redis import Redis

from workers.ledger import keys
from workers.ledger.scripts import Scripts

REFUSED_SECONDS = 30 * 86400
GRANTED_SECONDS = 86400


class Owner(BaseModel):
    """Whose a place is; `by` is who moved it there, `from_` the repository that had it before.

    `recorded`: taken from what the version before wrote down, and not yet said to anybody.
    """

    model_config = ConfigDict(frozen=True)

    repository_id: int
    repository: str
    environment: str
    by: str | None = None
    from_: str | None = None
    recorded: bool = False


class Refused(BaseModel):
    """A repository that wanted what is another's; `words` are the place for people."""

    model_config = ConfigDict(frozen=True)

    repository_id: int
    repository: str
    environment: str
    words: str
    run: str


class Owners:
    """Reads and changes of the owners."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._scripts = Scripts(redis)

    def of(self, places: Iterable[str]) -> dict[str, Owner | None]:
        """Whose each place is; None where it is nobody's yet."""
        names = list(places)
        texts = self._redis.hmget(keys.OWNERS, names) if names else []
        return dict(zip(names, map(_owner, texts), strict=True))

    def change(
        self, run_id: str, fence: str, changes: Mapping[str, tuple[Owner | None, Owner]]
    ) -> str:
        """Give places to others for a run, all or none: `changed`, `raced` or `lost`.

        Each place comes with the owner that it was found with, and the new one.
        """
        parts = [
            text
            for place, (old, new) in changes.items()
            for text in (place, _text(old) if old else "", _text(new))
        ]
        return str(self._scripts("own", id=run_id, fence=fence, changes=parts))

    def inherit(self, place: str, owner: Owner) -> bool:
        """Remember an owner that older records tell, unless one is known; whether none was."""
        return bool(self._redis.hsetnx(keys.OWNERS, place, _text(owner)))

    def refuse(self, place: str, refused: Refused) -> None:
        """Remember that a repository was refused a place, for whoever may move it."""
        key = keys.refused(refused.repository)
        pipe = self._redis.pipeline()
        pipe.hset(key, place, refused.model_dump_json())
        pipe.expire(key, REFUSED_SECONDS)
        pipe.execute()

    def refused(self, repository: str) -> dict[str, Refused]:
        """The places that a repository was refused, by its name."""
        found = self._redis.hgetall(keys.refused(repository)).items()
        return {place: Refused.model_validate_json(text) for place, text in found}

    def move(self, repository: str, moves: Mapping[str, Refused], by: str) -> dict[str, str | None]:
        """Give refused places to who was refused them; the repository that had each before."""
        before = self.of(moves)
        pipe = self._redis.pipeline()
        for place, one in moves.items():
            had = before[place]
            new = Owner(
                repository_id=one.repository_id,
                repository=one.repository,
                environment=one.environment,
                by=by,
                from_=had.repository if had else None,
            )
            pipe.hset(keys.OWNERS, place, _text(new))
            pipe.hdel(keys.refused(repository), place)
        pipe.execute()
        return {place: had.repository if had else None for place, had in before.items()}

    def grant(self, repository: str, by: str) -> None:
        """Let a repository take over what it is refused within the next day."""
        self._redis.set(keys.granted(repository), by, ex=GRANTED_SECONDS)

    def granted(self, repository: str) -> str | None:
        """Who has let a repository take over what it is refused, or None."""
        found: str | None = self._redis.get(keys.granted(repository))
        return found


def _text(owner: Owner) -> str:
    return owner.model_dump_json(exclude_defaults=True)


def _owner(text: str | None) -> Owner | None:
    return Owner.model_validate_json(text) if text else None
