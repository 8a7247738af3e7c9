"""The parts of a run's whole log, written when it grows over what the ledger keeps of it."""

import base64
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from redis import Redis

from workers.ledger import keys
from workers.ledger.scripts import Scripts

START = "0-0"
OPEN, SEALED = "open", "sealed"
END = "end"
"""The last part: what the log still had when the run had ended. Its name comes after numbers."""

BATCH = 50
PIECE_BYTES = 1 << 20
GONE = "gone"
PIECE_SECONDS = 60
_FAULT = "!"


class Part(NamedTuple):
    """One part; `text` and `size` are its bytes of text, and packed, once it is `stored` in S3.

    `flawed`: some of what was said is not in it, as its text says.
    """

    name: str
    state: str
    text: int = 0
    size: int = 0
    flawed: bool = False

    @property
    def stored(self) -> bool:
        """Whether it is in S3."""
        return self.size > 0


class Piece(NamedTuple):
    """Bytes of a part as they are in S3; `fault` says why there are none."""

    data: bytes
    fault: str = ""


class Parts:
    """What became of each part, and the way of pieces to those who read."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._scripts = Scripts(redis)

    def of(self, run_id: str) -> list[Part]:
        """A run's parts, in the order of the log."""
        rows = sorted(self._redis.hgetall(keys.parts(run_id)).items())
        return [_part(name, what) for name, what in rows]

    def whole(self, run_id: str) -> list[Part]:
        """The parts in S3 of a log that is there to its end; none of another one."""
        found = self.of(run_id)
        return found if found and all(one.stored for one in found) and found[-1].name == END else []

    def begun(self, run_id: str, name: str, where: str) -> None:
        """A visit has begun to spool a part; `where` the whole log will be."""
        self._part(run_id, name, OPEN, where=where)

    def sealed(self, run_id: str, name: str, fence: str, mark: str) -> bool:
        """The visit ends, and the part with it; False when the run is another's by now."""
        return self._part(run_id, name, SEALED, fence=fence, mark=mark)

    def stored(self, run_id: str, part: Part) -> None:
        """The part is in S3."""
        numbers = {"text": part.text, "size": part.size, "flawed": part.flawed}
        self._part(run_id, part.name, json.dumps(numbers))

    def _part(  # noqa: PLR0913 - a part, and what may be known of it
        self, run_id: str, name: str, what: str, *, fence: str = "", mark: str = "", where: str = ""
    ) -> bool:
        asked = {"part": name, "what": what, "fence": fence, "mark": mark, "where": where}
        return bool(self._scripts("part", id=run_id, **asked))

    def mark(self, run_id: str) -> str:
        """The last entry of the log that is in a part."""
        return self._redis.hget(keys.run(run_id), "log_mark") or START

    def rest(self, run_id: str, after: str) -> Iterator[tuple[str, str, str]]:
        """The log's entries after one of them that are in no part: id, source, text."""
        key = keys.log(run_id)
        while rows := self._redis.xrange(key, min=f"({after}", max="+", count=BATCH):
            for entry, values in rows:
                if "w" not in values:
                    yield entry, values["s"], values["t"]
            after = rows[-1][0]

    def last(self, run_id: str) -> str:
        """The log's last entry, or START."""
        rows = self._redis.xrevrange(keys.log(run_id), count=1)
        return str(rows[0][0]) if rows else START

    def want(self, run_id: str, want: str) -> None:
        """Have a worker bring a piece, once it is rung for."""
        pipe = self._redis.pipeline()
        pipe.sadd(keys.wanted(run_id), want)
        pipe.expire(keys.wanted(run_id), PIECE_SECONDS)
        pipe.execute()

    def wanted(self, run_id: str) -> str | None:
        """A piece that nobody else brings, or None."""
        found: str | None = self._redis.spop(keys.wanted(run_id))
        return found

    def bring(self, run_id: str, want: str, piece: Piece) -> None:
        """Bring a piece to the one who wants it."""
        text = _FAULT + piece.fault if piece.fault else base64.b64encode(piece.data).decode()
        self._redis.set(keys.piece(run_id, want), text, ex=PIECE_SECONDS)

    def take(self, run_id: str, want: str) -> Piece | None:
        """Take a piece that was brought; None as long as it was not."""
        pipe = self._redis.pipeline()
        pipe.get(keys.piece(run_id, want))
        pipe.delete(keys.piece(run_id, want))
        text, _ = pipe.execute()
        if text is None:
            return None
        if text.startswith(_FAULT):
            return Piece(b"", text.removeprefix(_FAULT))
        return Piece(base64.b64decode(text))


def _part(name: str, what: str) -> Part:
    if what in (OPEN, SEALED):
        return Part(name, what)
    numbers = json.loads(what)
    return Part(name, "stored", **numbers)
