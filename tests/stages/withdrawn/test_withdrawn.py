"""A commit that was taken off its branch ends its run wherever it waited, and moves nothing."""

import time
from threading import Thread

import pytest

from tests.stages.rollback.conftest import BUCKET, REPOSITORY, A, B
from tests.stand_ins.github import TOKEN
from workers.ledger.model.run import State
from workers.source.git import Git
from workers.source.mirror import Mirror

ALL = ("publish", "deploy", "approve", "release")
ASKED = pytest.mark.harbour(more="approval = { required = 1 }")
TWO = pytest.mark.harbour(more="approval = { required = 2 }")
GRADUAL = pytest.mark.harbour(more='strategy = "linear-50-percent-every-1-minute"')


def reset(harbour, commit, branch="master"):
    """Point a branch somewhere else, or delete it; nobody tells Slipway."""
    harbour.github.set_branch(REPOSITORY, branch, commit)


def ended_without(harbour, run_id, before, *, state=State.SUPERSEDED):
    """The run ends with the reason, and nothing has moved; the reason."""
    run = harbour.ended(run_id)
    assert run.state is state, harbour.story(run_id)
    assert harbour.live() == before
    assert run.order.commit[:7] in run.error
    return run.error


def test_a_commit_that_stays_goes_live(harbour):
    """The guard is not what ends a run: with the branch where it was, each of these succeeds."""
    commit = harbour.deployed(stages=("publish", "deploy", "release")).order.commit
    assert harbour.live() == (commit, commit)


def test_a_commit_under_a_newer_head_goes_live(harbour):
    """What the head descends from is still on the branch."""
    commit = harbour.commit()
    harbour.commit()
    harbour.deployed(commit=commit)
    assert harbour.live() == (commit, commit)


@pytest.mark.parametrize("deleted", [False, True])
def test_nothing_is_published_of_a_commit_that_was_taken_off(harbour, deleted):
    """Reset to what it was before, or deleted: no version is made, no alias moves."""
    good = harbour.deployed().order.commit
    versions = len(harbour.cloud.versions(A))
    run_id = harbour.accept(A, B, stages=("publish", "deploy", "release"))
    reset(harbour, None if deleted else good)
    state = State.CANCELLED if deleted else State.SUPERSEDED
    why = ended_without(harbour, run_id, (good, good), state=state)
    assert ("was deleted" in why) == deleted
    assert len(harbour.cloud.versions(A)) == versions


def test_no_package_is_copied_or_uploaded_of_it(harbour):
    """Publishing begins with the question."""
    harbour.deployed()
    run_id = harbour.accept(A, B, stages=("publish", "deploy", "release"))
    commit = harbour.inside.run(run_id).order.commit
    for name in (A, B):
        harbour.cloud.client("s3").delete_object(Bucket=BUCKET, Key=f"{name}/{commit}.zip")
    reset(harbour, harbour.github.commit(REPOSITORY, "master", {"x": "1"}, parents=[]))
    harbour.ended(run_id)
    assert [key for key in harbour.cloud.objects(BUCKET) if commit in key] == []


def test_a_force_push_to_an_unrelated_commit(harbour):
    """The head neither is the commit nor descends from it."""
    good = harbour.deployed().order.commit
    run_id = harbour.accept(A, B)
    other = harbour.github.commit(REPOSITORY, "master", {"x": "1"}, parents=[])
    assert other[:7] in ended_without(harbour, run_id, (good, good))


def test_whoever_waits_for_a_lock_looks_again(harbour):
    """Held, taken off, unlocked."""
    good = harbour.deployed().order.commit
    assert harbour.call("lock", reason="freeze")[0] == 200
    run = harbour.held(harbour.accept(A, B))
    reset(harbour, good)
    assert harbour.call("unlock")[0] == 200
    ended_without(harbour, run.id, (good, good))


def test_whoever_is_tried_again_looks_again(harbour):
    """AWS fails, the branch is reset during the back-off, AWS is back."""
    good = harbour.deployed().order.commit
    run_id = harbour.accept(A, B)
    harbour.strict.fail_next("PublishVersion", 9, status=503)
    assert harbour.visit(run_id) == "paused"
    assert harbour.strict.struck["PublishVersion"]
    harbour.strict._faults.clear()
    versions = len(harbour.cloud.versions(A))
    reset(harbour, good)
    ended_without(harbour, run_id, (good, good))
    assert len(harbour.cloud.versions(A)) == versions


@ASKED
def test_nobody_is_asked_about_a_commit_that_was_taken_off(harbour):
    """It ends before it waits for people."""
    harbour.commit()
    run_id = harbour.accept(A, B, stages=ALL[2:])
    reset(harbour, harbour.github.commit(REPOSITORY, "master", {"x": "1"}, parents=[]))
    run = harbour.ended(run_id)
    assert (run.state, harbour.live()) == (State.SUPERSEDED, (None, None))


@ASKED
@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_word_on_a_commit_that_was_taken_off(harbour, verdict):
    """The word is taken, and the worker looks: an approval no longer makes it live."""
    run_id = harbour.accept(A, B, stages=("deploy", "approve", "release"))
    harbour.until(run_id, lambda run: run.asks)
    reset(harbour, harbour.github.commit(REPOSITORY, "master", {"x": "1"}, parents=[]))
    assert harbour.inside.call(f"/runs/{run_id}/{verdict}")[0] == 202
    run = harbour.ended(run_id)
    wanted = State.SUPERSEDED if verdict == "approve" else State.CANCELLED
    assert (run.state, harbour.live()) == (wanted, (None, None))


@TWO
def test_the_first_of_two_words_on_a_commit_that_was_taken_off(harbour):
    """Nobody is asked for a second one: the first has a worker look, and the run ends."""
    run_id = harbour.accept(A, B, stages=("deploy", "approve", "release"))
    harbour.until(run_id, lambda run: run.asks)
    assert harbour.inside.advance(run_id) == "early", "nothing would look before the next word"
    reset(harbour, harbour.github.commit(REPOSITORY, "master", {"x": "1"}, parents=[]))
    assert harbour.inside.call(f"/runs/{run_id}/approve")[0] == 202
    harbour.inside.advance(run_id)
    assert harbour.inside.run(run_id).state is State.SUPERSEDED
    assert harbour.live() == (None, None)


@TWO
def test_two_words_on_a_commit_that_stayed(harbour):
    """The second comes while a worker looks after the first, and counts all the same."""
    run_id = harbour.accept(A, B, stages=("deploy", "approve", "release"))
    run = harbour.until(run_id, lambda run: run.asks)
    stalled = harbour.github.fail_next("*", "info/refs", times=1, delay=2.0)
    assert harbour.inside.call(f"/runs/{run_id}/approve", "alice")[0] == 202
    visit = Thread(target=harbour.inside.advance, args=[run_id])
    visit.start()
    try:
        while not stalled.struck:
            time.sleep(0.01)
        assert harbour.inside.run(run_id).state is State.RUNNING
        code, answer = harbour.inside.call(f"/runs/{run_id}/approve", "bob")
        assert (code, answer.get("missing")) == (202, 0)
    finally:
        visit.join()
    assert harbour.ended(run_id).state is State.SUCCEEDED
    assert harbour.live() == (run.order.commit,) * 2


@ASKED
def test_an_approved_commit_that_stayed_goes_live(harbour):
    """The same without the reset."""
    run_id = harbour.accept(A, B, stages=("deploy", "approve", "release"))
    run = harbour.until(run_id, lambda run: run.asks)
    assert harbour.inside.call(f"/runs/{run_id}/approve")[0] == 202
    assert harbour.ended(run_id).state is State.SUCCEEDED
    assert harbour.live() == (run.order.commit,) * 2


@GRADUAL
def test_no_first_share_of_a_commit_that_was_taken_off(harbour):
    """A gradual release does not begin, though versions are there."""
    good = harbour.deployed().order.commit
    run_id = harbour.accept(A, B)
    reset(harbour, good)
    ended_without(harbour, run_id, (good, good))
    assert harbour.weights() == ({}, {})


@GRADUAL
def test_what_has_its_first_share_is_finished(harbour):
    """Before the first move only: what has begun ends as it would have."""
    good = harbour.deployed().order.commit
    run_id = harbour.accept(A, B)
    harbour.until(run_id, lambda run: run.unfinished)
    reset(harbour, good)
    harbour.visit(run_id)
    assert harbour.inside.run(run_id).unfinished


def test_a_rollback_asks_nothing(harbour):
    """It goes back on purpose to what the branch may have lost."""
    first = harbour.deployed().order.commit
    harbour.deployed()
    reset(harbour, harbour.github.commit(REPOSITORY, "master", {"x": "1"}, parents=[]))
    harbour.rolled_back(first)
    assert harbour.live() == (first, first)


def silent(harbour):
    """From now on GitHub can't be asked."""
    return harbour.github.fail_next("*", "info/refs|git-upload-pack", times=999, status=503)


def fetched(harbour, run_id):
    """The run's commit is on this machine, as its checkout leaves it."""
    shop, order = harbour.inside.shop, harbour.inside.run(run_id).order
    git = Git(shop.settings.data_dir, None, shop.network)
    Mirror(git, order.repository_id).fetch(order.clone_url, order.commit, TOKEN)


def told(harbour, before):
    """GitHub's webhook tells what became of the branch; what it was answered."""
    return harbour.inside.deliver(
        "push", harbour.github.push_payload(REPOSITORY, "master", before=before)
    )


@pytest.mark.parametrize("deleted", [False, True])
def test_what_deliveries_told_counts_while_github_is_silent(harbour, deleted):
    """A forced push, or a deletion: it ends, and says that GitHub could not be asked."""
    good = harbour.deployed().order.commit
    run_id = harbour.accept(A, B)
    commit = harbour.inside.run(run_id).order.commit
    reset(harbour, None if deleted else good)
    told(harbour, commit)
    fault = silent(harbour)
    state = State.CANCELLED if deleted else State.SUPERSEDED
    ended_without(harbour, run_id, (good, good), state=state)
    assert fault.struck
    assert "GitHub can't be asked what master is at" in harbour.inside.log(run_id)


def test_a_push_on_top_is_no_reason_while_github_is_silent(harbour):
    """What was told to descend from the commit leaves it on its branch."""
    harbour.deployed()
    run_id = harbour.accept(A, B)
    commit = harbour.inside.run(run_id).order.commit
    fetched(harbour, run_id)
    harbour.commit()
    told(harbour, commit)
    fault = silent(harbour)
    assert harbour.ended(run_id).state is State.SUCCEEDED, harbour.story(run_id)
    assert fault.struck
    assert f"master still has {commit[:7]}" in harbour.inside.log(run_id)


@ASKED
def test_a_deletion_that_is_told_ends_what_waits_for_people(harbour):
    """Nobody has to say a word first; the delivery itself is answered as before."""
    run_id = harbour.accept(A, B, stages=("deploy", "approve", "release"))
    run = harbour.until(run_id, lambda run: run.asks)
    reset(harbour, None)
    assert told(harbour, run.order.commit) == {"ignored": "refs/heads/master was deleted"}
    assert run_id in [due for due, _ in harbour.inside.shop.ledger.overdue(0).runs]
    harbour.inside.advance(run_id)
    assert harbour.inside.run(run_id).state is State.CANCELLED
