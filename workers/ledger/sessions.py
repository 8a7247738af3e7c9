"""Who has signed in: sessions that end, and guesses at tokens that are counted."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis import Redis

from workers.ledger import keys

SESSION_SECONDS = 7 * 86400
"""A session ends so long after its beginning, whatever happens in it."""
WINDOW_SECONDS = 300
MOST_RECORDS = 10_000


class Session(NamedTuple):
    """Whose it is, and a print of the token that opened it."""

    name: str
    token_print: str


@dataclass(frozen=True, slots=True)
class Limit:
    """How many wrong guesses there may be in five minutes, from one address and from all."""

    kind: str
    of_address: int
    in_all: int


FORM = Limit("sign-in", 20, 200)
BEARER = Limit("bearer", 100, 1000)


class Sessions:
    """Sessions and guesses in the ledger; each call is one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    def open(self, session: Session, address: str) -> str:
        """Begin a session; the word that its owner's cookie shall hold, which is kept nowhere."""
        word = secrets.token_urlsafe(32)
        key = _key(word)
        pipe = self._redis.pipeline()
        pipe.hset(key, mapping={**session._asdict(), "address": address})
        pipe.expire(key, SESSION_SECONDS)
        pipe.execute()
        return word

    def find(self, word: str) -> Session | None:
        """The session of a cookie's word, as long as it has not ended."""
        name, token_print = self._redis.hmget(_key(word), "name", "token_print")
        return Session(name, token_print) if name and token_print else None

    def end(self, word: str) -> None:
        """End a session, wherever its cookie has been copied to."""
        self._redis.delete(_key(word))

    def wait(self, limit: Limit, address: str) -> int:
        """Seconds until the next guess from an address may be heard; 0: it may be now."""
        pipe = self._redis.pipeline(transaction=False)
        for key in _guesses(limit, address):
            pipe.get(key)
            pipe.ttl(key)
        mine, soon, every, later = pipe.execute()
        waits = [0]
        waits += [max(1, soon)] if int(mine or 0) >= limit.of_address else []
        waits += [max(1, later)] if int(every or 0) >= limit.in_all else []
        return max(waits)

    def wrong(self, limit: Limit, address: str) -> tuple[int, int]:
        """Count a wrong guess; how many there were lately, from this address and in all."""
        pipe = self._redis.pipeline()
        for key in _guesses(limit, address):
            pipe.set(key, 0, nx=True, ex=WINDOW_SECONDS)
            pipe.incr(key)
        pipe.hincrby(keys.METRICS, "tokens_refused", 1)
        _, mine, _, every, _ = pipe.execute()
        return int(mine), int(every)

    def record(self, event: str, who: str, address: str, **more: str) -> None:
        """Write down who did what; the newest 10,000 are kept."""
        fields = {"event": event, "who": who, "address": address, **more}
        self._redis.xadd(keys.AUDIT, fields, maxlen=MOST_RECORDS, approximate=True)


def _key(word: str) -> str:
    # Whoever can read the ledger must not be able to sign in with what is there.
    return keys.session(hashlib.sha256(word.encode()).hexdigest())


def _guesses(limit: Limit, address: str) -> tuple[str, str]:
    return keys.guesses(limit.kind, address), keys.guesses(limit.kind, "all")
