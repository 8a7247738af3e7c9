"""Copied cookies, guessed tokens, forged addresses: none of them gets far."""

import pytest
from redis import Redis

from config.server import parse
from local.redis import EmbeddedRedis
from service import create_app
from tests.dashboard.conftest import OPERATOR, TOKEN, Reader, settings
from tests.dashboard.worker import Work
from workers.ledger import keys
from workers.ledger.sessions import BEARER, FORM, SESSION_SECONDS

HOST = "slipway.example"


@pytest.fixture
def app(redis: Redis, redis_server: EmbeddedRedis):
    """The web application behind one proxy, with an empty ledger."""
    chosen = settings(redis_server.url, trusted_proxies="127.0.0.1,10.0.0.0/8")
    return create_app(chosen, parse(OPERATOR))


@pytest.fixture
def ann(app) -> Reader:
    """Somebody who has signed in."""
    reader = Reader(app)
    assert reader.sign_in().status_code == 303
    return reader


def copied(app, reader: Reader) -> Reader:
    """Another browser with the same cookie."""
    other = Reader(app)
    cookie = reader.browser.get_cookie("slipway", domain=HOST)
    other.browser.set_cookie("slipway", cookie.value, domain=HOST)
    return other


def events(redis: Redis) -> list[dict[str, str]]:
    """What is on record."""
    return [fields for _, fields in redis.xrange(keys.AUDIT)]


def test_a_copied_cookie_is_void_after_the_sign_out(app, ann: Reader) -> None:
    """As long as the session lasts the copy opens pages; signing out ends it, too."""
    thief = copied(app, ann)
    assert thief.get("/runs").status_code == 200
    ann.post("/sign-out")
    assert thief.get("/runs").status_code == 303
    assert thief.get("/api/v1/runs").status_code == 401
    assert ann.sign_in().status_code == 303
    assert thief.get("/runs").status_code == 303


def test_signing_in_anew_ends_the_session_before(app, ann: Reader) -> None:
    """Nobody fixes the session that somebody else will sign in with."""
    thief = copied(app, ann)
    page = ann.get("/runs").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert ann.post("/sign-in", token=TOKEN, next="/runs", csrf_token=token).status_code == 303
    assert thief.get("/runs").status_code == 303
    assert ann.get("/runs").status_code == 200


def test_a_session_has_an_end(app, ann: Reader, redis: Redis) -> None:
    """The ledger forgets it after a week, and keeps nothing that would open another."""
    (key,) = redis.keys(f"{keys.SESSION}*")
    assert 0 < redis.ttl(key) <= SESSION_SECONDS
    assert TOKEN not in str(redis.hgetall(key))
    redis.delete(key)
    assert ann.get("/runs").status_code == 303


def test_guesses_at_the_form_are_limited_for_each_address(app, redis: Redis) -> None:
    """After 20 wrong tokens the right one is not heard either; from elsewhere it is."""
    reader = Reader(app)
    for number in range(FORM.of_address):
        assert reader.sign_in(f"a guess at a token {number}").status_code == 401
    answer = reader.sign_in()
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert "Too many" in answer.text
    found = events(redis)
    assert [one["event"] for one in found].count("token_refused") == FORM.of_address
    assert found[-1]["event"] == "guesses_limited"
    assert found[-1]["address"] == "127.0.0.1"
    away = {"X-Forwarded-For": "203.0.113.9"}
    other = Reader(app)
    assert other.post("/sign-in", "/sign-in", away, token=TOKEN).status_code == 303


@pytest.mark.parametrize("way", ["form", "api"])
def test_guesses_strike_where_nobody_counts_them(app, redis: Redis, way: str) -> None:
    """The guard off: without the counts, whoever guesses on is heard at last."""
    reader, right = Reader(app), {"Authorization": f"Bearer {TOKEN}"}
    for number in range(max(FORM.of_address, BEARER.of_address) + 5):
        guess = f"a guess at a token {number}"
        if way == "form":
            assert reader.sign_in(guess).status_code == 401
        else:
            wrong = {"Authorization": f"Bearer {guess}"}
            assert reader.get("/api/v1/runs", headers=wrong).status_code == 401
        for key in redis.keys(f"{keys.GUESSES}*"):
            redis.delete(key)
    if way == "form":
        assert reader.sign_in().status_code == 303
    else:
        assert reader.get("/api/v1/runs", headers=right).status_code == 200


def test_guesses_at_the_form_are_limited_in_all(app, redis: Redis) -> None:
    """Many addresses with few guesses each meet the other limit."""
    redis.set(f"{keys.GUESSES}sign-in:all", FORM.in_all - 1, ex=60)
    answers = []
    for number, token in enumerate(("a wrong token", TOKEN)):
        away = {"X-Forwarded-For": f"203.0.113.{number}"}
        answers.append(Reader(app).post("/sign-in", "/sign-in", away, token=token).status_code)
    assert answers == [401, 429]
    assert [one for one in events(redis) if one["event"] == "guesses_limited"][-1]["of"] == "all"


def test_guesses_at_the_api_are_limited(app) -> None:
    """A bearer who was heard before still is; whoever guesses can't tell a right token."""
    known, guesser = Reader(app), Reader(app)
    right = {"Authorization": f"Bearer {TOKEN}"}
    here = {"X-Forwarded-For": "203.0.113.7"}
    assert known.get("/api/v1/runs", headers=right).status_code == 200
    for number in range(BEARER.of_address):
        wrong = {"Authorization": f"Bearer a guess at a token {number}"}
        for headers in (wrong, wrong | here):
            assert guesser.get("/api/v1/runs", headers=headers).status_code == 401
    assert guesser.get("/api/v1/runs", headers=right | here).status_code == 429
    assert guesser.get("/runs", headers=wrong | here).status_code == 429
    assert guesser.get("/nowhere", headers=wrong | here).status_code == 404
    assert known.get("/api/v1/runs", headers=right).status_code == 200


def test_every_word_has_a_name_on_record(app, ann: Reader, redis: Redis) -> None:
    """Signing in, a retry, a refusal and signing out, each with who and from where."""
    work = Work(redis)
    work.ledger.cancel(work.id, "cancelled by ann")
    answer = ann.post(f"/runs/{work.id}/retry", headers={"X-Forwarded-For": "203.0.113.5"})
    new = answer.headers["Location"].rpartition("/")[2]
    assert "ann asked for run" in ann.get(f"/api/v1/runs/{new}/log").text
    ann.post("/sign-out")
    rows = [(one["event"], one["who"], one["address"]) for one in events(redis)]
    assert rows == [
        ("signed_in", "ann", "127.0.0.1"),
        ("retried", "ann", "203.0.113.5"),
        ("signed_out", "ann", "127.0.0.1"),
    ]


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ("", "10.0.0.1", "203.0.113.5", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.0/8", "10.0.0.1", "6.6.6.6, 203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("10.0.0.0/8", "192.0.2.1", "203.0.113.5", "192.0.2.1"),
        ("10.0.0.0/8", "10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1", "nobody", "10.0.0.1"),
        ("10.0.0.0/8", "::ffff:10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.0/8", "10.0.0.1", "203.0.113.5:51234", "203.0.113.5"),
    ],
)
def test_only_the_operators_proxies_say_who_the_client_is(
    redis: Redis, redis_server: EmbeddedRedis, trusted, peer, forwarded, client
) -> None:
    """The last address that is no proxy of ours counts; what others write does not."""
    chosen = settings(redis_server.url, trusted_proxies=trusted)
    reader = Reader(create_app(chosen, parse(OPERATOR)))
    where = {"REMOTE_ADDR": peer}
    answer = reader.browser.get(
        "/api/v1/runs",
        headers={"X-Forwarded-For": forwarded, "Authorization": "Bearer a wrong token"},
        environ_overrides=where,
    )
    assert answer.status_code == 401
    assert events(redis)[-1]["address"] == client
