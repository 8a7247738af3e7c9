"""The ledger of the version before is taken over: once, whole, and nobody of it writes any more."""

import json
import os
import signal
import threading
import time
from contextlib import suppress

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from structlog.testing import capture_logs

from local.redis import EmbeddedRedis
from tests import former
from tests.ledger import former_runs
from tests.ledger.conftest import STAGES, Book
from tests.orders import order
from tests.stand_ins.slipway import ROOT, SECRET, TOKEN
from workers.ledger import NotDurableError, keys
from workers.ledger.accept import PROBE
from workers.ledger.checked import Heads
from workers.ledger.connection import LedgerError, hasty, refuse_lossy
from workers.ledger.model.approval import Vote
from workers.ledger.model.run import State
from workers.ledger.owners import Owners
from workers.ledger.schema import CONTAINERS, NOTICE, TEXTS
from workers.ledger.scripts import SCHEMA
from workers.ledger.upkeep import Upkeep

PLACE = "123456789012/eu-west-3/MoviesLoader/sandbox"
OPERATOR = """
[environments.sandbox]
branch = "develop"
[environments.staging]
branch = "staging"
[environments.preprod]
branch = "preprod"
[environments.production]
branch = "master"
approval = { required = 2, timeout = "2h" }
[[repositories]]
name = "octo/*"
functions = ["Movies*"]
"""


@pytest.fixture(scope="session")
def before(tmp_path_factory):
    """The code of the version before."""
    return former.tree(tmp_path_factory.mktemp("before"), former.UNNUMBERED)


@pytest.fixture
def made(before, redis, redis_server):
    """Runs in every state, as the version before wrote them; their ids by state."""
    return json.loads(former.said(before, former_runs.MAKE, redis_server.url))


def answers(root, tmp_path, url, paths):
    """What the web process whose code is under `root` answers, by path."""
    (tmp_path / "server.toml").write_text(OPERATOR)
    env = {
        "SLIPWAY_CONFIG": str(tmp_path / "server.toml"),
        "SLIPWAY_PUBLIC_URL": "http://slipway.example.com",
        "SLIPWAY_API_TOKENS": f"tests:{TOKEN}",
        "SLIPWAY_DATA_DIR": str(tmp_path / "data"),
        "GITHUB_WEBHOOK_SECRET": SECRET,
        "REDIS_URL": url,
        "PATH": os.environ["PATH"],
    }
    return json.loads(former.said(root, former_runs.READ, *paths, env=env).splitlines()[-1])


def old_names(redis):
    """The names of the version before that are there."""
    return {name for name in redis.keys("slipway:*") if not name.startswith(keys.PREFIX)}


def everything(redis):
    """All that the ledger holds, but for what passes by itself."""
    names = sorted(redis.keys(f"{keys.PREFIX}*"))
    return {name: redis.dump(name) for name in names if "bell" not in name}


def test_all_that_is_kept_reads_the_same(before, made, redis, redis_server, tmp_path):
    """Every answer of the API is the one that the version before gave."""
    paths = ["/api/v1/runs?limit=50", "/api/v1/environments"]
    paths += [f"/api/v1/runs/{run}" for name, run in made.items() if name not in OTHER]
    paths += [f"/api/v1/tasks/{made['queued']}", f"/api/v1/runs/{made['succeeded']}/log"]
    paths += [f"/api/v1/environments/{name}/releases" for name in ("sandbox", "production")]
    paths += ["/api/v1/runs?repository=octo/movies-loader&branch=develop"]
    known = answers(before, tmp_path, redis_server.url, paths)
    states = {run["state"] for run in json.loads(known[paths[0]])["runs"]}
    assert states == {str(state) for state in State}
    assert answers(ROOT, tmp_path, redis_server.url, paths) == known
    assert redis.get(keys.SCHEMA) == SCHEMA


OTHER = ("cookie", "identity")


def test_every_run_goes_on_and_ends_right(made, redis, redis_server):
    """Whatever state it was in; what waits is woken by what it waits for, nothing is lost."""
    queued = redis.llen("slipway:celery:build")
    assert queued > 3
    with capture_logs() as logs:
        book = Book(hasty(redis_server.url))
        assert book.history.run(made["succeeded"]).state == "succeeded"
    assert [line["event"] for line in logs] == ["ledger_taken_over"]
    assert redis.llen(f"{keys.BROKER_PREFIX}build") == queued
    ended = {name: book.history.run(made[name]).state for name in State if name in made}
    assert ended.pop("running") == "running"
    assert ended.pop("queued") == "queued"
    assert ended == {name: name for name in ended}

    def goes_on(name, **limits):
        lease = book.leased(made[name], f"new {name}", **limits)
        lease.finish(State.SUCCEEDED, ())
        assert book.history.run(made[name]).state == "succeeded"

    assert book.try_lease(made["turn"]).why == "early"
    vote = Vote(who="eve", verdict="approve", at=0, origin="web")
    assert book.vote(made["approval"], vote, 2, "deploy") == "counted"
    goes_on("approval")
    assert book.wake("sonar:task-1") == (made["turn"], "woken")
    goes_on("turn")
    assert book.locks.of("staging").by == "ada"
    assert book.locks.unlock("staging", "done").runs == (made["held"],)
    goes_on("held")
    assert book.history.claimed([PLACE.replace("sandbox", "production")], "") == made["rollout"]
    assert book.cancel(made["rollout"], "enough") == "cancelled"
    assert book.locks.of("preprod").run == made["rollback"]
    time.sleep(1)
    found = book.overdue(0)
    assert made["running"] in found.urgent, "its worker is not of this ledger"
    due = {run for run, _ in found.runs}
    assert {made[name] for name in ("queued", "check", "paused", "rollback")} <= due
    for name in ("queued", "check", "paused", "rollback", "running"):
        goes_on(name)
    assert book.history.run(made["running"]).losses == 1
    assert not list(book.history.alive())


def test_indexes_and_all_else_are_those_of_before(made, redis, redis_server):
    """Branches, heads, releases, owners, versions, sessions, reports; and runs can be forgotten."""
    book = Book(hasty(redis_server.url))
    run = book.history.run(made["succeeded"])
    assert book.history.live(PLACE).version == "7"
    assert Owners(book.redis).of([PLACE])[PLACE].repository_id == 7
    assert Owners(book.redis).refused("octo/other").keys() == {"x"}
    versions = Upkeep(book.redis).published("123456789012/eu-west-3", "MoviesLoader")
    assert list(versions.values()) == [run.id]
    assert book.sessions.find(made["cookie"]).name == "ada"
    assert book.identity() == made["identity"]
    assert book.reports.read(made["failed"], "unit", "index.html") == b"<p>"
    assert book.history.heads(7, "develop")[-1][1] == "c" * 40
    assert {one.id for one in book.history.deployed()} >= {made["queued"], made["rollout"]}
    check = book.history.run(made["check"])
    assert Heads(book.redis).checked(check.order).runs == {"": check.id}
    tips = redis.hgetall(keys.TIPS)
    assert (
        tips[keys.branch("octo/movies-loader", "develop")]
        == book.history.run(made["queued"]).order.commit
    )
    index = keys.repository("octo/movies-loader")
    assert redis.zscore(index, run.id)
    assert book._scripts("forget", id=run.id) == 1
    assert redis.zscore(index, run.id) is None


def test_a_delivery_of_before_gets_its_run(made, redis_server):
    """It was answered by the version before, and GitHub sends it again."""
    book = Book(hasty(redis_server.url))
    run = book.history.run(made["succeeded"])
    again = book.accept(run.order, "delivery-succeeded", STAGES, "build")
    assert (again.run_id, again.fresh) == (run.id, False)


BARRED = {*CONTAINERS, *TEXTS}
REFUSED = {
    *("push", "pull", "again", "closed", "beat", "write", "finish", "lock", "unlock", "ring"),
    *("sweep", "identity", "record", "page"),
}


def test_nobody_of_the_version_before_writes_any_more(before, made, redis, redis_server):
    """It is told with each write; where it could do something before, it changes nothing now."""
    fence = redis.hget(f"slipway:run:{made['running']}", "fence")
    known = json.dumps(made | {"fence": fence})
    first = json.loads(former.said(before, former_runs.WRITE, redis_server.url, known))
    assert first["push"].startswith("Accepted(")
    assert first["closed"].startswith("Accepted(")
    redis.flushall()
    made = json.loads(former.said(before, former_runs.MAKE, redis_server.url))

    Book(hasty(redis_server.url)).probe()
    untouched = everything(redis)
    known = json.dumps(made | {"fence": fence})
    told = json.loads(former.said(before, former_runs.WRITE, redis_server.url, known))
    errors = {name for name, answer in told.items() if "Error: " in answer}
    assert errors >= REFUSED, told
    assert "WRONGTYPE" in told["push"]
    others = {name: told[name] for name in told.keys() - errors}
    assert others == {
        "take": "'lost'",
        "lease": "Refusal(why='gone')",
        "vote": "'gone'",
        "cancel": "'gone'",
    }
    assert everything(redis) == untouched


def test_what_it_finds_says_why(made, redis, redis_server):
    """Whoever looks with redis-cli at a name of before reads what has happened."""
    hasty(redis_server.url).ping()
    found = old_names(redis)
    assert {f"slipway:{name}" for name in BARRED} <= found
    assert redis.get("slipway:runs") == NOTICE
    assert redis.lrange("slipway:clock", 0, -1) == [NOTICE]
    assert {redis.type(name) for name in found} == {"string", "list"}


def test_an_empty_ledger_is_not_barred(redis, redis_server):
    """There is nobody to keep out, and nothing to say."""
    with capture_logs() as logs:
        hasty(redis_server.url).ping()
    assert redis.keys("*") == [keys.SCHEMA]
    assert logs == []


def filled(redis, count):
    """Runs of the version before, as many; each has three keys."""
    pipe = redis.pipeline(transaction=False)
    for number in range(count // 3):
        index = "slipway:runs:octo/x"
        mapping = {"branch": f"{index}:main", "repository": index, "state": "succeeded"}
        pipe.hset(f"slipway:run:{number}", mapping=mapping)
        pipe.set(f"slipway:order:{number}", number, ex=9999)
        pipe.xadd(f"slipway:log:{number}", {"s": "test", "t": "x" * 50})
        pipe.zadd("slipway:runs", {str(number): number})
        if number % 5000 == 0:
            pipe.execute()
    pipe.set("slipway:clock", "1")
    pipe.execute()


def test_a_power_cut_in_the_middle_leaves_all_as_it_was(tmp_path):
    """The next start does it again, whole."""
    struck = 0
    with EmbeddedRedis(tmp_path / "redis", appendfsync="no") as server:
        client = hasty(server.url)
        raw = client.__class__.from_url(server.url, decode_responses=True)
        filled(raw, 30_000)
        raw.config_set("appendfsync", "always")
        for after in (0.02, 0.05, 0.1, 0.2):
            thread = threading.Thread(target=started, args=(server.url,))
            thread.start()
            time.sleep(after)
            os.kill(server.pid, signal.SIGKILL)
            thread.join()
            server.kill()
            server.start()
            there = raw.exists(keys.SCHEMA)
            assert raw.type("slipway:runs") == ("string" if there else "zset")
            assert bool(raw.exists("slipway:run:5")) == (not there)
            assert raw.exists(f"{keys.PREFIX}run:5") == there
            struck += not there
            if there:
                break
        assert struck, "it was never cut off"
        began = time.monotonic()
        assert refuse_lossy(server.url) is None or raw.exists(keys.SCHEMA)
        assert time.monotonic() - began < 60
        assert raw.zcard(keys.RUNS) == 10_000
        assert 0 < raw.ttl(f"{keys.PREFIX}order:9999") < 9999
        assert raw.hget(f"{keys.PREFIX}run:9999", "branch") == f"{keys.PREFIX}runs:octo/x:main"
        assert not raw.exists("slipway:run:9999")


def started(url):
    """A process that starts, and may be cut off."""
    with suppress(RedisError):
        hasty(url).ping()


@pytest.fixture
def newer(redis, redis_server):
    """A ledger that was in use, and that a newer version has taken over since."""
    book = Book(hasty(redis_server.url))
    book.run_id = book.take_on()
    book.held = book.leased(book.run_id)
    redis.set(keys.SCHEMA, "3")
    return book


def test_a_newer_schema_is_refused_at_start(newer, redis_server):
    """The sentence says what to do; no connection is made."""
    with pytest.raises(LedgerError, match="is of schema 3, and this version of Slipway knows"):
        refuse_lossy(redis_server.url)
    with pytest.raises(RedisConnectionError, match="newer version has taken it over"):
        hasty(redis_server.url).ping()


def test_a_newer_schema_ends_all_writing_at_once(newer, redis):
    """Over connections that are there already: nothing is accepted, kept alive or written."""
    known = everything(redis)
    refused = pytest.raises(ResponseError, match="SCHEMA 3 is that of this ledger")
    for write in (
        lambda: newer.accept(order(commit="e" * 40), "d9", STAGES, "build"),
        newer.held.renew,
        lambda: newer.held.write(tree="x"),
        lambda: newer.held.finish(State.SUCCEEDED, ()),
        lambda: newer.locks.lock("sandbox", "ada", "why"),
        lambda: newer.ring("advance", newer.run_id, "build"),
        newer.probe,
    ):
        with refused:
            write()
    assert everything(redis) == known
    redis.set(keys.SCHEMA, SCHEMA)
    newer.held.finish(State.SUCCEEDED, ())


def test_every_script_sees_to_the_schema(newer):
    """There is none that does not: each answers the refusal before it reads its arguments."""
    from tests.ledger.test_moves import LUA
    from workers.ledger.scripts import source

    names = sorted(path.stem for path in LUA.glob("*.lua") if path.stem != "take_over")
    assert len(names) > 40
    for name in names:
        with pytest.raises(ResponseError, match="SCHEMA 3"):
            newer.redis.eval(source(name), 1, keys.SCHEMA)


def test_who_is_connected_does_not_write_beside_what_was_before(made, redis, redis_server):
    """A ledger of before that comes up behind a living connection: taken over by the next one."""
    book = Book(hasty(redis_server.url))
    book.probe()
    redis.flushall()
    book.probe()
    assert redis.get(keys.SCHEMA) == SCHEMA, "all was lost: it begins anew"
    redis.flushall()
    redis.set("slipway:clock", "1")
    with pytest.raises(ResponseError, match="SCHEMA none"):
        book.probe()
    book.redis.connection_pool.disconnect()
    book.probe()


def test_a_probe_is_refused_as_an_order_is(newer):
    """What /readyz says."""
    assert PROBE[0] == "EVAL"
    with pytest.raises((ResponseError, NotDurableError), match="SCHEMA"):
        newer.probe()
