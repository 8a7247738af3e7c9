"""What somebody changed by hand is named in the run that finds it, and never taken for ours."""

from tests.stages.rollback.conftest import ENVIRONMENT, A, B
from workers.drift import watch
from workers.ledger.model.run import State
from workers.ledger.observations import Observations


def drifted(harbour):
    """Look, and name what differs of each function."""
    watch.watch(harbour.inside.shop, pause=0)
    found = Observations(harbour.inside.redis).latest(ENVIRONMENT)
    return {seen.function: [one.kind for one in seen.differs] for seen in found.functions}


def point(harbour, function, version, **weights):
    """Move an alias as somebody in the console would."""
    routing = {"AdditionalVersionWeights": weights}
    harbour.cloud.client("lambda").update_alias(
        FunctionName=function, Name=ENVIRONMENT, FunctionVersion=version, RoutingConfig=routing
    )
    # The strict AWS gives a new revision only to what it has seen itself.
    harbour.strict._aliases.pop((function, ENVIRONMENT), None)


def test_a_run_names_what_it_finds_changed(harbour):
    """Moved, weighted, deleted: each is a line of the run that puts the alias right."""
    first, second = harbour.deployed(), harbour.deployed()
    versions = {one.function: one.version for one in first.releases}
    point(harbour, A, versions[A])
    harbour.cloud.client("lambda").delete_alias(FunctionName=B, Name=ENVIRONMENT)
    third = harbour.deployed()
    log = harbour.inside.log(third.id)
    assert f"[release/{A}] changed by hand since the last release: {A}:production was moved" in log
    assert second.order.commit[:7] in log
    assert f"[release/{B}] changed by hand since the last release: {B}:production was dele" in log
    assert log.count("changed by hand") == 2
    current = {one.function: one.version for one in third.releases}
    point(harbour, A, current[A], **{versions[A]: 0.5})
    log = harbour.inside.log(harbour.deployed().id)
    assert f"{A}:production has weights that no run left: version {versions[A]} gets 50%" in log
    assert log.count("changed by hand") == 1


def test_a_release_reads_no_alias_that_is_as_it_was_left(harbour):
    """Three calls of Lambda's quota for a function: new code, version, move."""
    harbour.deployed()
    before = harbour.strict.calls.copy()
    harbour.deployed()
    asked = harbour.strict.calls - before
    of_their_own = {"GetFunction", "GetObject", "HeadObject"}
    assert {name: count for name, count in asked.items() if name not in of_their_own} == {
        "UpdateFunctionCode": 2,
        "PublishVersion": 2,
        "UpdateAlias": 2,
    }


def test_weights_by_hand_are_named_and_come_back_with_the_rest(harbour):
    """Seen only when AWS refuses the move, they are what a failed release goes back to."""
    first = harbour.deployed()
    second = harbour.deployed()
    old, new = ({one.function: one.version for one in run.releases} for run in (first, second))
    point(harbour, A, new[A], **{old[A]: 0.5})
    run_id = harbour.accept(A, B)
    hold = harbour.strict.hold("UpdateAlias", B)
    visit = harbour.begin(run_id, hold)
    harbour.until_live(A, harbour.inside.run(run_id).order.commit)
    assert harbour.weights() == ({}, {})
    harbour.strict.fail_next("UpdateAlias", status=403, code="AccessDeniedException")
    hold.open()
    visit.join()
    assert harbour.ended(run_id).state is State.FAILED
    assert harbour.live() == (second.order.commit,) * 2
    assert harbour.weights() == ({old[A]: 0.5}, {})
    log = harbour.inside.log(run_id)
    assert f"{A}:production has weights that no run left: version {old[A]} gets 50%" in log
    assert log.count("changed by hand") == 1


def test_weights_by_hand_go_where_the_version_stays(harbour):
    """Nothing is to be moved, so AWS could refuse nothing: the alias itself is read."""
    first, second = harbour.deployed(), harbour.deployed()
    old, new = ({one.function: one.version for one in run.releases} for run in (first, second))
    point(harbour, A, new[A], **{old[A]: 0.5})
    run = harbour.rolled_back(second.order.commit)
    assert harbour.weights() == ({}, {})
    assert f"{A}:production has weights that no run left" in harbour.inside.log(run.id)


def test_deploys_and_rollbacks_are_no_changes_by_hand(harbour):
    """Whatever Slipway did itself is on record: no drift after it, and no word in the next run."""
    first, _ = harbour.deployed(), harbour.deployed()
    assert drifted(harbour) == {A: [], B: []}
    harbour.rolled_back(first.order.commit)
    assert drifted(harbour) == {A: [], B: []}
    held = harbour.held(harbour.accept(A, B))
    assert drifted(harbour) == {A: [], B: []}
    harbour.call("unlock", "bob")
    ended = harbour.ended(held.id)
    assert ended.state is State.SUCCEEDED
    assert drifted(harbour) == {A: [], B: []}
    assert "by hand" not in harbour.inside.log(held.id)
