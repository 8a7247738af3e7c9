"""Old versions are deleted, and only those that nobody needs."""

import json
import threading
import time

import pytest
from structlog.testing import capture_logs

from tests.workers.conftest import FUNCTION, HOME, OPERATOR, PUBLISHED
from workers.aws.session import aws_for
from workers.ledger import keys
from workers.ledger.lease import UPKEEP_SECONDS
from workers.ledger.model.errors import BusyError
from workers.ledger.model.run import Release
from workers.ledger.unpruned import UnprunedBook
from workers.ledger.upkeep import Upkeep
from workers.upkeep import prune as pruning


def prune(shop, most=pruning.MOST):
    """One pass, without its pauses."""
    return pruning.prune(shop, most=most, pause=0)


def test_versions_beyond_the_last_releases_are_deleted(yard):
    """Two releases stay of five, the log names each version that went, and history says so."""
    made = [yard.release() for _ in range(5)]
    with capture_logs() as logs:
        assert prune(yard.shop) == 3
    assert yard.numbers() == made[3:]
    told = [line for line in logs if line["event"] == "version_deleted"]
    assert [line["version"] for line in told] == made[:3]
    assert all(len(line["commit"]) == 40 and line["bytes"] for line in told)
    rows = yard.ledger.history.released("sandbox", 0, 10)
    assert [row.pruned for row in rows] == [False, False, True, True, True]
    assert yard.ledger.history.counters()["versions_pruned"] == 3
    assert prune(yard.shop) == 0
    assert yard.cloud.latest(FUNCTION)["Version"] == "$LATEST"


def test_each_environment_keeps_its_own(yard):
    """A slow environment's releases stay, however many the quick one has had since."""
    slow = [yard.release("production") for _ in range(2)]
    quick = [yard.release("sandbox") for _ in range(5)]
    prune(yard.shop)
    assert yard.numbers() == slow + quick[-2:]


def test_what_any_alias_leads_to_stays(yard):
    """Aliases that Slipway never made count, and so do weights."""
    made = [yard.release() for _ in range(6)]
    yard.point("by-hand", made[0])
    yard.point("canary", made[5], **{made[1]: 0.1})
    prune(yard.shop)
    assert yard.numbers() == [made[0], made[1], made[4], made[5]]
    assert yard.strict.calls["DeleteFunction"] == 2


def test_versions_of_others_stay(yard):
    """What somebody published by hand is not touched, even if its description is a commit."""
    theirs = [yard.publish("by hand").version, yard.publish("f" * 40).version]
    made = [yard.release() for _ in range(4)]
    prune(yard.shop)
    assert yard.numbers() == theirs + made[2:]


def test_a_version_that_only_waits_for_its_release_stays(yard):
    """What a run at work has published is needed before any alias or history names it."""
    old = [yard.release() for _ in range(4)]
    _, lease = yard.take("sandbox", "e" * 40)
    made = yard.publish("e" * 40)
    lease.published(PUBLISHED, made.version, "e" * 40, made.sha256)
    later = [yard.release() for _ in range(4)]
    prune(yard.shop)
    assert yard.numbers() == [made.version, *later[-2:]]
    lease.finish("failed", ())
    prune(yard.shop)
    assert yard.numbers() == later[-2:]
    assert len(old) == 4


def test_a_rollback_that_was_accepted_keeps_its_version(yard):
    """What an unended run goes back to stays, old as it is."""
    made = [yard.release() for _ in range(5)]
    _, lease = yard.take("sandbox", "e" * 40)
    rows = yard.ledger.history.released("sandbox", 0, 10)
    lease.releases([Release(function=FUNCTION, version=made[0], sha256=rows[-1].sha256)])
    prune(yard.shop)
    assert yard.numbers() == [made[0], *made[3:]]


def test_a_function_that_a_run_is_changing_is_left_alone(yard):
    """The run's lock holds the deletion off; the next pass does it."""
    made = [yard.release() for _ in range(4)]
    _, lease = yard.take("sandbox", "e" * 40)
    with lease.locked(f"function:{HOME}/{FUNCTION}"):
        assert prune(yard.shop) == 0
    assert yard.numbers() == made
    assert prune(yard.shop) == 2


def test_a_run_waits_out_a_deletion(yard):
    """The lock of upkeep is short: a run that wants it gets it as soon as it is free."""
    name = f"function:{HOME}/{FUNCTION}"
    _, lease = yard.take("sandbox", "e" * 40)
    held, go = threading.Event(), threading.Event()

    def tend():
        with Upkeep(yard.ledger.redis).locked(name) as ours:
            assert ours
            held.set()
            assert go.wait(30)

    keeper = threading.Thread(target=tend)
    keeper.start()
    assert held.wait(30)
    threading.Timer(0.5, go.set).start()
    start = time.monotonic()
    with lease.locked(name):
        assert time.monotonic() - start > 0.3
        with Upkeep(yard.ledger.redis).locked(name) as ours:
            assert not ours
    keeper.join()


def test_a_dead_keeper_holds_nobody_up_for_long(yard, redis):
    """The lock ends by itself; a run that comes before that waits its turn."""
    name = f"function:{HOME}/{FUNCTION}"
    _, lease = yard.take("sandbox", "e" * 40)
    ahead = (time.time() + 3600) * 1000
    redis.hset(f"{keys.LOCK}{name}", mapping={"token": "dead", "until": int(ahead)})
    start = time.monotonic()
    with pytest.raises(BusyError, match="upkeep"), lease.locked(name):
        pass
    assert time.monotonic() - start >= UPKEEP_SECONDS
    redis.hset(f"{keys.LOCK}{name}", "until", "1")
    with lease.locked(name):
        pass


def test_an_alias_that_is_set_in_the_last_moment_wins(yard):
    """AWS refuses to delete what an alias leads to; the pass goes on with the others later."""
    made = [yard.release() for _ in range(4)]
    yard.strict.meanwhile("DeleteFunction", lambda: yard.point("hotfix", made[0]))
    with capture_logs() as logs:
        prune(yard.shop)
    assert made[0] in yard.numbers()
    assert [line["function"] for line in logs if line["event"] == "versions_not_pruned"]
    assert prune(yard.shop) == 1
    assert yard.numbers() == [made[0], *made[2:]]


def test_a_version_that_somebody_else_deleted_is_marked(yard):
    """What is gone from AWS is marked for the rollback, and not counted as ours to delete."""
    made = [yard.release() for _ in range(3)]
    yard.client.delete_function(FunctionName=FUNCTION, Qualifier=made[0])
    assert prune(yard.shop) == 0
    rows = yard.ledger.history.released("sandbox", 0, 10)
    assert [row.pruned for row in rows] == [False, False, True]
    assert yard.ledger.history.counters()["versions_pruned"] == 0


def test_a_role_that_may_not_delete_is_told_once_a_day(yard):
    """The permission that lacks is named, and AWS isn't asked at every poll."""
    for _ in range(3):
        yard.release()
    yard.strict.fail_next("DeleteFunction", status=403, code="AccessDeniedException")
    with capture_logs() as logs:
        assert prune(yard.shop) == 0
        calls = yard.strict.calls.total()
        assert prune(yard.shop) == 0
    assert yard.strict.struck["DeleteFunction"] == 1
    assert yard.strict.calls.total() == calls
    (told,) = [line for line in logs if line["event"] == "versions_not_pruned"]
    assert "the operator's turn" in told["error"]


def test_pruning_that_is_refused_is_on_record_until_it_goes_on(yard):
    """Each environment that released the function says why, until a later pass deletes them."""
    made = [yard.release() for _ in range(3)]
    book = UnprunedBook(yard.ledger.redis)
    text = "User: x is not authorized to perform: lambda:DeleteFunction on resource: y"
    yard.strict.fail_next("DeleteFunction", status=403, code="AccessDeniedException", message=text)
    assert prune(yard.shop) == 0
    (one,) = book.of("sandbox")
    assert one.function == FUNCTION
    assert "the operator's turn" in one.why
    assert "lambda:DeleteFunction" in one.why
    assert abs(one.at / 1000 - time.time()) < 60
    assert book.of("production") == [], "it never released the function"
    for key in yard.ledger.redis.scan_iter(f"{keys.ONCE}prune:*"):
        yard.ledger.redis.delete(key)
    assert prune(yard.shop) == 1
    assert yard.numbers() == made[1:]
    assert book.of("sandbox") == []


@pytest.mark.parametrize("accident", ["alias", "outage"])
def test_what_passes_by_itself_is_no_refusal(yard, accident):
    """An alias that came in between, and an AWS that is out of reach: nobody need do anything."""
    made = [yard.release() for _ in range(3)]
    if accident == "alias":
        yard.strict.meanwhile("DeleteFunction", lambda: yard.point("hotfix", made[0]))
    else:
        yard.strict.fail_next("DeleteFunction", times=9, status=503)
    assert prune(yard.shop) == 0
    assert yard.strict.calls["DeleteFunction"] > 0
    assert UnprunedBook(yard.ledger.redis).of("sandbox") == []


def test_a_refusal_that_nothing_is_left_of_is_forgotten(yard):
    """Where nothing is to be deleted any more, nothing is refused; an old word counts no longer."""
    for _ in range(3):
        yard.release()
    yard.strict.fail_next("ListAliases", status=403, code="AccessDeniedException")
    prune(yard.shop)
    book = UnprunedBook(yard.ledger.redis)
    assert "ListAliases needs lambda:ListAliases" in book.of("sandbox")[0].why
    prune(yard.make(OPERATOR.replace("keep_versions = 2", "keep_versions = 9")))
    assert book.of("sandbox") == []
    old = {"function": FUNCTION, "why": "x", "at": 1}
    yard.ledger.redis.hset(f"{keys.UNPRUNED}sandbox", FUNCTION, json.dumps(old))
    assert book.of("sandbox") == []


def test_one_broken_function_stops_no_other(yard):
    """A function that was removed is skipped; the next one's versions go."""
    for _ in range(3):
        yard.release()
    redis = yard.ledger.redis
    row = {"function": "Gone", "version": "1", "commit": "a" * 40, "sha256": "x", "at": 1}
    rows = [json.dumps(row | {"version": str(n)}) for n in range(1, 5)]
    redis.rpush(f"{keys.RELEASED}production", *rows)
    assert prune(yard.shop) == 1


def test_nothing_is_asked_of_aws_while_there_is_nothing_to_delete(yard):
    """Few releases, no calls."""
    yard.release()
    yard.release()
    assert aws_for().account == "123456789012"  # Asked once in a process's life.
    calls = yard.strict.calls.total()
    assert prune(yard.shop) == 0
    assert yard.strict.calls.total() == calls


def test_a_pass_is_bounded(yard):
    """What one pass leaves, the next one takes."""
    made = [yard.release() for _ in range(6)]
    assert prune(yard.shop, most=2) == 2
    assert prune(yard.shop, most=2) == 2
    assert yard.numbers() == made[4:]


def test_two_workers_never_prune_at_once(yard):
    """The second one leaves it to the first."""
    for _ in range(3):
        yard.release()
    with yard.ledger.alone("prune", 60) as alone:
        assert alone
        assert prune(yard.shop) == 0
    assert prune(yard.shop) == 1


def test_more_is_kept_where_the_operator_says_so(yard):
    """`keep_versions` counts, and is one of the operator's keys."""
    made = [yard.release() for _ in range(5)]
    shop = yard.make(OPERATOR.replace("keep_versions = 2", "keep_versions = 4"))
    prune(shop)
    assert yard.numbers() == made[1:]
