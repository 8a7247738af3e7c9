"""Guesses at tokens: counted, written down, and after too many of them not heard for a while."""

import structlog
from redis.exceptions import RedisError
from werkzeug.exceptions import TooManyRequests

from service.web import Web
from workers.ledger.sessions import BEARER, WINDOW_SECONDS, Limit

log = structlog.get_logger()


def judge(web: Web, address: str, name: str | None) -> None:
    """Hear a bearer's token: that of `name`, or a wrong one.

    Aborts with 429, which does not tell whether it was right, where too many wrong ones came.
    """
    if web.known.shut_for(address, name):
        raise TooManyRequests(
            "Too many wrong tokens came from here; wait some minutes, and send a right one.",
            retry_after=WINDOW_SECONDS,
        )
    if name is not None:
        web.known.good(address, name)
        return
    try:
        wrong(web, BEARER, address)
    except RedisError as error:
        # The token is as wrong without the ledger.
        log.warning("ledger_unavailable", error=str(error))


def wrong(web: Web, limit: Limit, address: str) -> None:
    """Count a wrong token and write it down."""
    sessions = web.ledger.sessions
    mine, every = sessions.wrong(limit, address)
    if mine <= limit.of_address:
        sessions.record("token_refused", "", address, way=limit.kind)
        log.warning("token_refused", way=limit.kind, client=address, lately=mine, in_all=every)
    if mine == limit.of_address or every == limit.in_all:
        of = "address" if mine == limit.of_address else "all"
        sessions.record("guesses_limited", "", address, way=limit.kind, of=of)
        log.warning("guesses_limited", way=limit.kind, client=address, of=of)
    if limit is BEARER:
        for there, count, most in (
            (address, mine, limit.of_address),
            ("all", every, limit.in_all),
        ):
            if count >= most:
                web.known.shut(there)
