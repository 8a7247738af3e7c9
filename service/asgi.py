"""The web process: deliveries and followers in its loop, all else by Flask, in threads."""

from time import monotonic

import structlog
from redis.exceptions import RedisError

from config.settings import Settings
from service import mount
from service.access.proxies import Proxies
from service.answer import Answer, refused
from service.application import wired
from service.entrance.deliveries import Deliveries
from service.entrance.descriptors import THREADS
from service.entrance.exchange import LATE, Exchange, Gone, Receive, Scope, Send
from service.entrance.following import Following
from service.entrance.threads import Threads
from service.health_answers import HEALTHY, readiness
from service.web import Web
from service.webhooks.github import PATH
from workers.ledger import NotDurableError
from workers.ledger.asynchronous import AsyncLedger

MOST_FIELDS = 100
MOST_FIELD_BYTES = 16 * 1024
MOST_ADDRESS = 8 * 1024
BROKEN = refused(500, "Slipway failed to serve this request; see its log.")

log = structlog.get_logger()
requests = structlog.get_logger("service.requests")


class Entrance:
    """An ASGI application around the Flask one."""

    def __init__(self, chosen: Settings) -> None:
        app = wired(chosen, seats=THREADS // 2)
        self._web: Web = app.extensions["slipway"]
        self._threads = Threads(app.wsgi_app)
        self._proxies = Proxies(chosen.trusted_proxies)
        self._mount = mount.Mount(self._web.root, mount.first_words(app.url_map.iter_rules()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the life of the loop."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        exchange = Exchange(scope, receive, send, self._mount.inside(scope["path"]))
        try:
            answer = peculiar(exchange) or await self._serve(exchange)
        except Gone:
            return
        except TimeoutError:
            answer = LATE
        except Exception:
            log.exception("entrance_broke", path=exchange.path)
            if exchange.status:
                raise
            answer = BROKEN
        if answer:
            await exchange.answer(answer)
        if not exchange.told:
            self._log(exchange)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Have clients of Redis, which belong to the loop, from its beginning to its end."""
        await receive()
        self._ledger = AsyncLedger(self._web.settings.redis_url)
        self._deliveries = Deliveries(self._web, self._ledger)
        self._following = Following(self._web, self._ledger)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._ledger.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, exchange: Exchange) -> Answer | None:
        """The answer to a request; None where it has been sent."""
        asked = (exchange.method, exchange.path)
        if asked == ("POST", PATH):
            return await self._deliveries.take(exchange)
        if asked == ("GET", "/healthz"):
            return HEALTHY
        if asked == ("GET", "/readyz"):
            return readiness(await self._ready())
        followed = await self._threads.serve(exchange)
        if followed:
            await self._following.follow(exchange, *followed)
        return None

    async def _ready(self) -> Exception | None:
        try:
            await self._ledger.probe()
        except (RedisError, NotDurableError) as error:
            return error
        return None

    def _log(self, exchange: Exchange) -> None:
        """The line of a request, without its query, which may hold what is private."""
        peer = (exchange.scope.get("client") or ("",))[0]
        forwarded = exchange.headers.get("x-forwarded-for", "")
        trusted = self._proxies.trusts(peer)
        requests.info(
            "request",
            method=exchange.method,
            path=exchange.path,
            status=exchange.status,
            milliseconds=int((monotonic() - exchange.began) * 1000),
            client=self._proxies.client(peer, forwarded) if trusted else peer,
        )


def peculiar(exchange: Exchange) -> Answer | None:
    """The answer to what is no request for us by its head; None if it is one.

    Source: RFC 9112, section 3.2: a request of HTTP/1.1 has one Host, or gets 400.
    """
    scope = exchange.scope
    version, names = scope["http_version"], [name for name, _ in scope["headers"]]
    if not version.startswith("1."):
        return refused(505, "This is a server of HTTP/1.1.")
    hosts = names.count(b"host")
    if hosts > 1 or (not hosts and version != "1.0"):
        return refused(400, "Host: there must be one.")
    if len(scope["raw_path"]) + len(scope["query_string"]) > MOST_ADDRESS:
        return refused(414, "The address is too long.")
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    if size > MOST_FIELD_BYTES or len(names) > MOST_FIELDS:
        return refused(431, "The header fields are too long, or too many.")
    return None
