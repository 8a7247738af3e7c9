"""Back to what was live before: seconds, no build, all functions or none, and held afterwards."""

from dataclasses import replace

import pytest

from tests.stages.rollback.conftest import BUCKET, ENVIRONMENT, REPOSITORY, SITE, A, B
from workers.ledger.model.run import State
from workers.report import report
from workers.upkeep import poll


def test_back_to_a_commit(harbour):
    """Both functions run the older commit again; the history says that it was a rollback."""
    first, second = harbour.deployed(), harbour.deployed()
    run = harbour.rolled_back(first.order.commit[:9], reason="errors  in\nthe cart")
    assert harbour.live() == (first.order.commit, first.order.commit)
    assert [stage.name for stage in run.stages] == ["deploy", "release"]
    assert run.stages[-1].summary.startswith(f"rolled back to {first.order.commit[:7]} by alice")
    assert {one.alias for one in run.releases} == {ENVIRONMENT}
    newest = harbour.releases()[:2]
    assert {row["function"] for row in newest} == {A, B}
    for row in newest:
        assert (row["commit"], row["run"]) == (first.order.commit, run.id)
        assert row["rollback"] == {
            "by": "alice",
            "from": second.order.commit,
            "function": None,
            "reason": "errors in the cart",
        }


def told(harbour, commit):
    """What GitHub shows for a commit of its deploy to production: state and text."""
    shown = harbour.github.latest(REPOSITORY, commit)[f"slipway/deploy/{ENVIRONMENT}"]
    return shown.state, shown.description


def test_github_shows_what_the_environment_runs(harbour):
    """The commit that was rolled back from is no success any more, until it is live again."""
    first, second = harbour.deployed(), harbour.deployed()
    for run in (first, second):
        report(harbour.inside.shop, run.id, "a-token")
        assert told(harbour, run.order.commit)[0] == "success"
    back = harbour.rolled_back("previous")
    report(harbour.inside.shop, back.id, "a-token")
    again = f"Rolled back: {ENVIRONMENT} runs {first.order.commit[:7]} again"
    assert told(harbour, second.order.commit) == ("error", again)
    assert told(harbour, first.order.commit)[0] == "success"
    forth = harbour.rolled_back(second.order.commit)
    report(harbour.inside.shop, forth.id, "a-token")
    assert told(harbour, second.order.commit)[0] == "success"
    assert told(harbour, first.order.commit)[0] == "error"


def test_back_to_what_was_before(harbour):
    """`previous` goes one further back each time, never to what was rolled back from."""
    first, second, _ = (harbour.deployed() for _ in range(3))
    harbour.rolled_back("previous")
    assert harbour.live() == (second.order.commit,) * 2
    harbour.rolled_back("previous")
    assert harbour.live() == (first.order.commit,) * 2
    status, answer = harbour.call("rollback", to="previous")
    assert (status, answer["title"]) == (404, "Not Found")
    assert "nothing was released there before" in answer["detail"]


def test_one_function(harbour):
    """The other one stays as it is, and the next `previous` of all is not led astray by it."""
    first, second, third = (harbour.deployed() for _ in range(3))
    harbour.rolled_back(first.order.commit, function=A)
    assert harbour.live() == (first.order.commit, third.order.commit)
    assert [row["function"] for row in harbour.releases()[:1]] == [A]
    harbour.rolled_back("previous")
    assert harbour.live() == (second.order.commit,) * 2


def test_a_version_that_was_deleted_is_published_again(harbour):
    """From its package in S3, and before any alias moves."""
    first, second = harbour.deployed(), harbour.deployed()
    harbour.rolled_back(first.order.commit)
    # The newest one: moto gives the number of any other to two versions.
    lost = next(one.version for one in second.releases if one.function == A)
    client = harbour.cloud.client("lambda")
    client.delete_function(FunctionName=A, Qualifier=lost)
    client.update_function_code(FunctionName=A, ZipFile=b"of another branch")
    run = harbour.rolled_back(second.order.commit)
    assert harbour.live() == (second.order.commit, second.order.commit)
    assert "was deleted; published again as" in harbour.inside.log(run.id)
    again = next(one for one in run.releases if one.function == A)
    assert again.sha256 == next(one.sha256 for one in second.releases if one.function == A)


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_a_package_that_is_gone(harbour, replaced):
    """It is 410, nothing changes, the environment is not held, and what waited goes on."""
    first, second = harbour.deployed(), harbour.deployed()
    lost = next(one.version for one in first.releases if one.function == B)
    harbour.cloud.client("lambda").delete_function(FunctionName=B, Qualifier=lost)
    s3, place = (
        harbour.cloud.client("s3"),
        {"Bucket": BUCKET, "Key": f"{B}/{first.order.commit}.zip"},
    )
    s3.put_object(**place, Body=b"another") if replaced else s3.delete_object(**place)
    with harbour.working():
        status, answer = harbour.call("rollback", to=first.order.commit)
    assert (status, answer["title"]) == (410, "Gone")
    assert "push a new commit with its code" in answer["detail"]
    assert answer["detail"].endswith("Nothing was changed.")
    assert harbour.live() == (second.order.commit, second.order.commit)
    assert harbour.inside.shop.ledger.locks.of(ENVIRONMENT) is None
    harbour.deployed()


def test_a_package_that_is_gone_leaves_an_earlier_hold(harbour):
    """Who was held before is held after it, for the same reason."""
    first, second, _ = (harbour.deployed() for _ in range(3))
    held = harbour.rolled_back(second.order.commit, reason="as before")
    for one in first.releases:
        harbour.cloud.client("lambda").delete_function(
            FunctionName=one.function, Qualifier=one.version
        )
    harbour.cloud.client("s3").delete_object(Bucket=BUCKET, Key=f"{A}/{first.order.commit}.zip")
    with harbour.working():
        status, _ = harbour.call("rollback", to=first.order.commit)
    assert status == 410
    lock = harbour.inside.shop.ledger.locks.of(ENVIRONMENT)
    assert (lock.run, lock.reason) == (held.id, "as before")


def test_a_site_goes_back_with_its_functions(harbour):
    """By the manifest of its commit, without the commit's files; and forward again."""
    first = harbour.deployed(A, page="<p>one")
    second = harbour.deployed(A, page="<p>two")
    harbour.rolled_back("previous")
    assert harbour.cloud.read(SITE, f"{ENVIRONMENT}/index.html") == b"<p>one"
    assert harbour.alias(A) == first.order.commit
    assert {row["function"] for row in harbour.releases()[:2]} == {A, None}
    harbour.rolled_back(second.order.commit)
    assert harbour.cloud.read(SITE, f"{ENVIRONMENT}/index.html") == b"<p>two"


def test_a_site_that_is_gone(harbour):
    """A manifest that was cleaned away is 410, and no function moves either."""
    first, second = harbour.deployed(A, page="<p>one"), harbour.deployed(A, page="<p>two")
    harbour.cloud.client("s3").delete_object(
        Bucket=SITE, Key=f"slipway/sites/{ENVIRONMENT}/{first.order.commit}.json"
    )
    with harbour.working():
        status, answer = harbour.call("rollback", to="previous")
    assert status == 410
    assert "no longer on record (kept for 7 days after a release without it): " in answer["detail"]
    assert "push a new commit with its code" in answer["detail"]
    assert harbour.alias(A) == second.order.commit


@pytest.mark.harbour(more='distribution = "E1A2B3C4D5E6F7"')
def test_cloudfront_that_takes_nothing_for_long_does_not_fail_a_live_site(harbour):
    """It is tried as often as anything; then the run tells what is missing, and has succeeded."""
    tries = harbour.inside.shop.settings.retries + 1
    accident = {"status": 400, "code": "TooManyInvalidationsInProgress"}
    harbour.strict.fail_next("CreateInvalidation", times=tries, **accident)
    run = harbour.deployed(A, page="<p>one")
    assert harbour.strict.struck["CreateInvalidation"] == tries
    assert "E1A2B3C4D5E6F7 was NOT invalidated" in harbour.inside.stage(run.id, "release")
    assert harbour.cloud.read(SITE, f"{ENVIRONMENT}/index.html") == b"<p>one"
    assert harbour.alias(A) == run.order.commit


def test_the_same_rollback_twice_is_one_run(harbour):
    """While it is under way, whoever asks again is told of its run; afterwards it is a new one."""
    first, _ = harbour.deployed(), harbour.deployed()
    run_id = harbour.accept_back(first.order.commit)
    assert harbour.accept_back(first.order.commit[:7], reason="impatient") == run_id
    assert harbour.ended(run_id).state is State.SUCCEEDED
    assert harbour.rolled_back(first.order.commit).id != run_id


def test_the_deploy_of_the_same_commit_is_another_order(harbour):
    """A delivery of the commit that is live by a rollback makes no second run."""
    first, _ = harbour.deployed(), harbour.deployed()
    harbour.rolled_back(first.order.commit)
    again = harbour.inside.shop.ledger.accept(first.order, "again", ("deploy",), "deploy")
    assert (again.run_id, again.fresh) == (first.id, False)


def test_a_later_rollback_wins(harbour):
    """One that has not begun to move ends, and its successor does what was asked last."""
    first, second, third = (harbour.deployed() for _ in range(3))
    early = harbour.accept_back(first.order.commit)
    harbour.rolled_back(second.order.commit)
    ended = harbour.ended(early)
    assert ended.state is State.CANCELLED
    assert harbour.live() == (second.order.commit,) * 2
    assert third.order.commit not in harbour.live()


def test_an_unlock_calls_a_rollback_off_that_has_not_begun(harbour):
    """The environment must not be changed by what was decided before it was opened again."""
    first, second = harbour.deployed(), harbour.deployed()
    run_id = harbour.accept_back(first.order.commit)
    assert harbour.call("unlock")[0] == 200
    run = harbour.ended(run_id)
    assert run.state is State.CANCELLED
    assert "was unlocked" in run.error
    assert harbour.live() == (second.order.commit,) * 2


def test_a_function_that_the_operator_took_away(harbour):
    """The operator's file of today decides what may be touched, not that of the release."""
    first, second = harbour.deployed(), harbour.deployed()
    rule = harbour.inside.shop.operator.repositories[0]
    narrow = rule.model_copy(update={"functions": (B,)})
    operator = harbour.inside.shop.operator.model_copy(update={"repositories": (narrow,)})
    harbour.inside.shop = replace(harbour.inside.shop, operator=operator)
    run = harbour.ended(harbour.accept_back(first.order.commit))
    assert run.state is State.FAILED
    assert f"no longer allows octo/store to touch {A}" in run.error
    assert harbour.live() == (second.order.commit,) * 2


def test_a_failed_rollback_is_retried(harbour):
    """Once AWS answers again, the retry goes where the first one wanted to, and holds."""
    first, _ = harbour.deployed(), harbour.deployed()
    run_id = harbour.accept_back(first.order.commit, reason="why")
    harbour.inside.shop.ledger.cancel(run_id, "by mistake")
    status, answer = harbour.inside.call(f"/runs/{run_id}/retry", "bob")
    assert status == 202
    run = harbour.ended(answer["run_id"])
    assert run.state is State.SUCCEEDED
    assert (run.order.sender, run.order.rollback.reason) == ("bob", "why")
    assert harbour.live() == (first.order.commit,) * 2
    assert harbour.inside.shop.ledger.locks.of(ENVIRONMENT).run == run.id


def test_the_poll_does_not_undo_it(harbour):
    """The branch's head was released before and rolled back from: it is no lost push."""
    first, second = harbour.deployed(), harbour.deployed()
    assert harbour.github.head(REPOSITORY, "master") == second.order.commit
    harbour.rolled_back(first.order.commit)
    for locked in (True, False):
        poll.poll(harbour.inside.shop)
        assert harbour.inside.shop.ledger.overdue(0).runs == []
        assert harbour.call("unlock")[0] == (200 if locked else 409)
    lost = harbour.commit()
    poll.poll(harbour.inside.shop)
    (due,) = harbour.inside.shop.ledger.overdue(0).runs
    assert harbour.inside.run(due[0]).order.commit == lost
