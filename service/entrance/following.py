"""Followers of runs as coroutines: they hold no thread, and many of one run look at it together."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from weakref import WeakValueDictionary

import structlog
from redis.exceptions import RedisError

from service import followers
from service.api.feed import HEARTBEAT, HEARTBEAT_SECONDS, LIFE_SECONDS, Facts, Feed, Place, look
from service.entrance.exchange import Exchange
from service.web import Web
from workers.ledger.asynchronous import AsyncLedger
from workers.ledger.watch import WAIT_SECONDS, Watch

LOOKS_AT_ONCE = 2

log = structlog.get_logger()


class _Seen:
    """What the followers of one run last saw of it, and when that look began."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.began = float("-inf")
        self.facts: Facts | None = None


class Following:
    """The followers of one event loop."""

    def __init__(self, web: Web, ledger: AsyncLedger) -> None:
        self._web = web
        self._ledger = ledger
        self._seen: WeakValueDictionary[str, _Seen] = WeakValueDictionary()
        self._threads = ThreadPoolExecutor(LOOKS_AT_ONCE, "look")

    async def follow(self, exchange: Exchange, run_id: str, place: Place) -> None:
        """Tell a follower of a run from a place on, until its end, or until it is time to go."""
        watch = asyncio.create_task(exchange.left())
        try:
            with followers.following():
                await self._tell(exchange, run_id, place)
        except RedisError as error:
            # The follower comes back, and goes on where it was.
            log.warning("ledger_unavailable", error=str(error))
        finally:
            watch.cancel()
        await exchange.send({"type": "http.response.body", "body": b""})

    async def _tell(self, exchange: Exchange, run_id: str, place: Place) -> None:
        feed, news = Feed(place), Watch(None, run_id, place.cursor)
        seen = self._seen.setdefault(run_id, _Seen())
        leaves = monotonic() + LIFE_SECONDS
        await _say(exchange, feed.begins)
        spoke, wanted, looks = monotonic(), monotonic(), True
        while not (exchange.gone or followers.stopping.is_set() or monotonic() > leaves):
            if looks:
                facts = await self._look(seen, run_id, wanted)
                if facts is None:
                    return
                await _say(exchange, feed.changes(facts))
                if facts.final:
                    while entries := (await self._ledger.rest(news)).entries:
                        await _say(exchange, feed.said(entries))
                    await _say(exchange, feed.ends(facts))
                    return
            entries, looks = await self._ledger.news(news)
            if entries:
                await _say(exchange, feed.said(entries))
                spoke = monotonic()
            elif monotonic() - spoke > HEARTBEAT_SECONDS:
                await _say(exchange, HEARTBEAT)
                spoke = monotonic()
            # After a wait for nothing, what others have seen since then is new enough.
            wanted = monotonic() - (0 if news.rang else WAIT_SECONDS)

    async def _look(self, seen: _Seen, run_id: str, wanted: float) -> Facts | None:
        """What a look has seen that began no sooner than `wanted`."""
        async with seen.lock:
            if seen.began < wanted:
                began = monotonic()
                loop = asyncio.get_running_loop()
                seen.facts = await loop.run_in_executor(self._threads, look, self._web, run_id)
                seen.began = began
            return seen.facts


async def _say(exchange: Exchange, text: str) -> None:
    if text:
        await exchange.send(
            {"type": "http.response.body", "body": text.encode(), "more_body": True}
        )
