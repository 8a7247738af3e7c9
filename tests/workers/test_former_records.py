"""Records that name no account are taken over: once, idempotently, each by its environment."""

import json
import uuid

import pytest
from structlog.testing import capture_logs

from tests.workers.conftest import FUNCTION, HOME, PUBLISHED
from workers.aws.session import aws_for
from workers.aws.session.identity import UNKNOWN
from workers.ledger import keys
from workers.ledger.model.run import Release
from workers.ledger.owners import Owners
from workers.ledger.upkeep import Mark
from workers.upkeep import former_records

FORMER = f"eu-west-3/{FUNCTION}/sandbox"
PLACE = f"{HOME}/{FUNCTION}/sandbox"
SITE = "site:shop.example.com/sandbox"


def former(yard, *, source=True):
    """A release as the version before wrote it down; its run, version and commit."""
    commit = uuid.uuid4().hex + "0" * 8
    run_id, lease = yard.take("sandbox", commit)
    made = Release(function=FUNCTION, version="7", alias="sandbox", sha256="abc=")
    order = yard.order(commit, "sandbox")
    row = made.model_dump() | {"commit": commit, "repository": order.repository, "run": run_id}
    row |= {"source": order.source.model_dump()} if source else {}
    lease.live("sandbox", [(FORMER, row)])
    lease.published(f"{keys.PUBLISHED}{FUNCTION}", "7", commit, "abc=")
    return run_id, commit


def everything(redis):
    """All that the ledger keeps of what is live, and whose it is."""
    names = (keys.LIVE, keys.OWNERS, keys.ROLLOUTS, PUBLISHED, f"{keys.PUBLISHED}{FUNCTION}")
    return {name: redis.hgetall(name) for name in names}


def test_a_record_gets_its_environments_account(yard, redis):
    """Live version, published version, owner; a second time nothing changes."""
    run_id, commit = former(yard)
    redis.hset(keys.ROLLOUTS, FORMER, run_id)
    assert former_records.take_over(yard.shop) == 3
    assert list(redis.hgetall(keys.LIVE)) == [PLACE]
    live = yard.ledger.history.live(PLACE)
    assert (live.commit, live.home, live.environment) == (commit, HOME, "sandbox")
    assert redis.hgetall(PUBLISHED) == {" ".join(Mark("7", commit, "abc=")): run_id}
    assert redis.hgetall(keys.ROLLOUTS) == {PLACE: run_id}
    assert Owners(redis).of([PLACE])[PLACE].repository == yard.order(commit, "sandbox").repository
    known = everything(redis)
    assert former_records.take_over(yard.shop) == 0
    assert everything(redis) == known


def test_what_is_known_already_is_newer(yard, redis):
    """A take-over that was cut off, or comes twice at once, undoes no release of now."""
    former(yard)
    redis.hset(keys.LIVE, PLACE, json.dumps({"version": "8", "commit": "f" * 40, "run": "new"}))
    former_records.take_over(yard.shop)
    assert yard.ledger.history.live(PLACE).version == "8"
    assert list(redis.hgetall(keys.LIVE)) == [PLACE]


def test_a_record_without_a_repositorys_id_is_nobodys_yet(yard, redis):
    """It belongs to the repository that next releases it."""
    former(yard, source=False)
    former_records.take_over(yard.shop)
    assert Owners(redis).of([PLACE]) == {PLACE: None}


def test_a_live_site_has_the_owner_that_its_record_names(yard, redis):
    """Sites need no account: a bucket's name is one of all the world's."""
    _, commit = former(yard)
    source = yard.order(commit, "sandbox").source.model_dump()
    redis.hset(keys.LIVE, SITE, json.dumps({"repository": "octo/shop", "source": source}))
    former_records.take_over(yard.shop)
    assert Owners(redis).of([SITE])[SITE].environment == "sandbox"
    assert redis.hexists(keys.LIVE, SITE)


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_record_that_no_history_holds(yard, redis, forgotten):
    """Its run tells its environment; without that, the only one there that has the alias."""
    run_id, commit = former(yard)
    redis.delete(f"{keys.RELEASED}sandbox")
    if forgotten:
        redis.delete(f"{keys.RUN}{run_id}")
    former_records.take_over(yard.shop)
    assert yard.ledger.history.live(PLACE).commit == commit


@pytest.fixture
def silent(monkeypatch, yard):
    """STS has not told this process whose its keys are."""
    aws = aws_for()
    monkeypatch.setitem(aws.__dict__, "account", UNKNOWN)
    yield aws
    aws._told = ""


def test_where_sts_is_silent_the_functions_name_tells(yard, redis, silent):
    """The same place, whichever way its account was found out; asked once."""
    former(yard)
    former_records.take_over(yard.shop)
    assert list(redis.hgetall(keys.LIVE)) == [PLACE]
    assert silent.home(FUNCTION) == HOME
    assert yard.strict.calls["GetFunction"] == 1


def test_where_aws_can_not_be_asked_nothing_is_lost(yard, redis, silent):
    """The records stay as they are, and the next start takes them over."""
    former(yard)
    known = everything(redis)
    yard.strict.fail_next("GetFunction", 50, status=403, code="AccessDeniedException")
    with capture_logs() as logs:
        assert former_records.take_over(yard.shop) == 0
    assert "records_not_taken_over" in {line["event"] for line in logs}
    assert everything(redis) == known
    yard.strict._faults.clear()
    assert former_records.take_over(yard.shop) == 2
    assert list(redis.hgetall(keys.LIVE)) == [PLACE]
