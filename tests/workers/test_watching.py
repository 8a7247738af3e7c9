"""Drift: what somebody changed by hand is seen, told once, and put back where that is wanted."""

import json
import threading

import pytest
from structlog.testing import capture_logs

from tests.stand_ins.github import TOKEN, GitHub
from tests.stand_ins.slack import Slack
from tests.workers.conftest import FUNCTION, OPERATOR, REPOSITORY
from workers.drift import watch
from workers.ledger import keys
from workers.ledger.model.observation import Observation, Seen
from workers.ledger.model.run import StageRecord, StageState, State
from workers.ledger.observations import Observations

REPAIR = OPERATOR.replace('branch = "develop"', 'branch = "develop"\ndrift = "repair"')


def look(shop, name="sandbox"):
    """One look at every environment; what it found of one, and the log."""
    with capture_logs() as logs:
        watch.watch(shop, pause=0)
    found = Observations(shop.ledger.redis).latest(name)
    assert found
    return found, [line for line in logs if line["event"].startswith("drift")]


def kinds(found: Observation, function: str = FUNCTION) -> list[str]:
    """What differs about a function."""
    seen = found.of(function)
    assert isinstance(seen, Seen)
    return [one.kind for one in seen.differs]


def test_what_is_as_slipway_left_it_is_no_drift(yard):
    """The record, the alias, its commit and its hash agree."""
    version = yard.release()
    found, logs = look(yard.shop)
    (seen,) = found.functions
    assert (seen.live.version, seen.live.commit) == (version, seen.record.commit)
    assert seen.live.sha256 == seen.record.sha256
    assert (seen.differs, seen.fault, seen.releasing, logs) == ((), None, None, [])
    assert found.storage.used == yard.strict.code_storage[0]
    assert seen.record.at


def test_each_change_by_hand_has_its_name(yard):
    """Moved, weighted, alias removed, function removed."""
    first, second = yard.release(), yard.release()
    yard.point("sandbox", first)
    found, _ = look(yard.shop)
    assert kinds(found) == ["moved"]
    assert f"runs version {first}" in found.functions[0].differs[0].text
    yard.point("sandbox", second, **{first: 0.25})
    found, _ = look(yard.shop)
    assert kinds(found) == ["weights"]
    assert "25%" in found.functions[0].differs[0].text
    yard.client.delete_alias(FunctionName=FUNCTION, Name="sandbox")
    assert kinds(look(yard.shop)[0]) == ["alias deleted"]
    yard.client.delete_function(FunctionName=FUNCTION)
    assert kinds(look(yard.shop)[0]) == ["function deleted"]


def test_a_function_made_anew_has_other_code(yard):
    """The same version number of another function of the same name is not what was released."""
    version = yard.release()
    yard.client.delete_function(FunctionName=FUNCTION)
    yard.cloud.create_function(FUNCTION)
    assert yard.publish("by hand").version == version
    yard.point("sandbox", version)
    assert kinds(look(yard.shop)[0]) == ["other code"]


def test_drift_is_told_when_it_begins_and_when_it_ends(yard):
    """Four looks, two lines; another kind of drift is news as well."""
    first, second = yard.release(), yard.release()
    yard.point("sandbox", first)
    told = [[line["event"] for line in look(yard.shop)[1]] for _ in range(2)]
    yard.point("sandbox", second)
    told += [[line["event"] for line in look(yard.shop)[1]] for _ in range(2)]
    assert told == [["drift_begins"], [], ["drift_ended"], []]


def test_slack_is_told_once_and_later_if_it_is_away(yard):
    """What Slack did not take is told after the next look, with what happened since."""
    with Slack() as slack:
        shop = yard.make(OPERATOR, slack_webhook_url=slack.url)
        first, second = yard.release(), yard.release()
        yard.point("sandbox", first)
        fault = slack.fail_next(status=503)
        found, _ = look(shop)
        assert fault.struck == 1
        assert len(found.untold) == 1
        yard.point("sandbox", second)
        assert look(shop)[0].untold == ()
        look(shop)
        (text,) = slack.texts
        assert "was moved by hand" in text
        assert "is as Slipway left it again" in text


def test_a_release_under_way_is_no_drift(yard):
    """What a run in its last stage has moved, or given weights, is its own business."""
    old = yard.release()
    run_id, lease = yard.take("sandbox", "e" * 40)
    made = yard.publish("e" * 40)
    lease.releases([made])
    stages = (StageRecord(name="release", state=StageState.WAITING, started_at=1),)
    lease.stages(stages, unfinished="yes")
    lease.park(State.WAITING, stages, delay=300, queue="deploy")
    yard.point("sandbox", old, **{made.version: 0.1})
    found, logs = look(yard.make(REPAIR))
    assert found.functions[0].releasing == run_id
    assert (kinds(found), logs) == ([], [])
    assert yard.cloud.alias(FUNCTION, "sandbox")["RoutingConfig"]["AdditionalVersionWeights"]

    yard.ledger.redis.zadd(keys.DUE, {run_id: 0})
    again = yard.ledger.lease(run_id, "w", "again", seconds=60, capacity=50)
    again.finish(State.FAILED, ())
    assert kinds(look(yard.shop)[0]) == ["weights"]


def test_a_held_run_hides_no_drift(yard):
    """One that waits for its environment to be unlocked has moved nothing."""
    first, _ = yard.release(), yard.release()
    _, lease = yard.take("sandbox", "e" * 40)
    made = yard.publish("e" * 40)
    lease.releases([made])
    stages = (StageRecord(name="release", state=StageState.WAITING, started_at=1),)
    lease.park(State.WAITING, stages, delay=300, queue="deploy")
    yard.point("sandbox", first)
    assert kinds(look(yard.shop)[0]) == ["moved"]


def test_a_release_between_two_readings_is_no_drift(yard):
    """A run that releases while the alias is being read leaves nothing to tell."""
    yard.release()
    yard.strict.meanwhile("GetAlias", yard.release)
    yard.strict.meanwhile("GetFunction", yard.release)
    found, logs = look(yard.shop)
    assert (kinds(found), logs) == ([], [])


def test_what_cannot_be_asked_is_as_it_was(yard):
    """AWS out of reach neither begins nor ends a drift."""
    first, second = yard.release(), yard.release()
    yard.point("sandbox", first)
    look(yard.shop)
    yard.point("sandbox", second)
    yard.strict.fail_next("GetAlias", status=403, code="AccessDeniedException")
    found, logs = look(yard.shop)
    assert yard.strict.struck["GetAlias"] == 1
    assert "the operator's turn" in found.functions[0].fault
    assert (kinds(found), logs) == (["moved"], [])
    assert [line["event"] for line in look(yard.shop)[1]] == ["drift_ended"]


def test_a_function_that_was_taken_out_is_forgotten(yard):
    """Gone from AWS and from its repository's latest release: nothing is missing."""
    yard.release()
    yard.cloud.create_function("MoviesOld")
    old = yard.publish("d" * 40, "MoviesOld").model_copy(update={"alias": "sandbox"})
    _, lease = yard.take("sandbox", "d" * 40)
    yard.went_live(lease, old, "d" * 40, "sandbox")
    lease.finish("succeeded", ())
    yard.point("sandbox", old.version, "MoviesOld")
    assert {one.function for one in look(yard.shop)[0].functions} == {FUNCTION, "MoviesOld"}
    yard.client.delete_function(FunctionName="MoviesOld")
    assert kinds(look(yard.shop)[0], "MoviesOld") == ["function deleted"]
    yard.release()
    found, logs = look(yard.shop)
    assert [one.function for one in found.functions] == [FUNCTION]
    assert [line["event"] for line in logs] == ["drift_ended"]


def test_what_the_operator_no_longer_allows_is_not_looked_at(yard):
    """A function that is out of the operator's file is none of Slipway's business."""
    yard.release()
    shop = yard.make(OPERATOR.replace("Movies*", "Others*"))
    assert look(shop)[0].functions == ()


def test_an_alias_is_put_back(yard):
    """Moved by hand, it runs the recorded version again; history and log say so by name."""
    first, second = yard.release(), yard.release()
    yard.point("sandbox", first)
    found, logs = look(yard.make(REPAIR))
    assert yard.cloud.alias(FUNCTION, "sandbox")["FunctionVersion"] == second
    assert kinds(found) == []
    assert [line["event"] for line in logs] == ["drift_begins", "drift_repaired"]
    row = yard.ledger.history.released("sandbox", 0, 1)[0]
    assert (row.event, row.version, row.found) == ("repaired", second, f"version {first}")
    assert look(yard.shop)[1] == []


def test_a_deleted_alias_is_made_again(yard):
    """It leads to the recorded version."""
    version = yard.release()
    yard.client.delete_alias(FunctionName=FUNCTION, Name="sandbox")
    look(yard.make(REPAIR))
    assert yard.cloud.alias(FUNCTION, "sandbox")["FunctionVersion"] == version


def test_weights_go_when_they_stay(yard):
    """AWS sets some itself for a while: only what a second look still finds is put back."""
    first, second = yard.release(), yard.release()
    shop = yard.make(REPAIR)
    yard.point("sandbox", second, **{first: 0.5})
    assert kinds(look(shop)[0]) == ["weights"]
    look(shop)
    alias = yard.cloud.alias(FUNCTION, "sandbox")
    assert alias["FunctionVersion"] == second
    assert not alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")


def test_where_drift_is_only_reported_nothing_is_changed(yard):
    """`report` is the default."""
    first, _ = yard.release(), yard.release()
    yard.point("sandbox", first)
    look(yard.shop)
    assert yard.cloud.alias(FUNCTION, "sandbox")["FunctionVersion"] == first
    assert yard.strict.calls["UpdateAlias"] == 0


def test_a_locked_environment_is_left_as_it_is(yard):
    """Whoever locked it wants no change, ours neither."""
    first, second = yard.release(), yard.release()
    yard.point("sandbox", first)
    lock = {"kind": "lock", "by": "ada", "reason": "a freeze", "at": 1}
    yard.ledger.redis.set(f"{keys.LOCKED}sandbox", json.dumps(lock))
    assert kinds(look(yard.make(REPAIR))[0]) == ["moved"]
    assert yard.cloud.alias(FUNCTION, "sandbox")["FunctionVersion"] == first
    yard.ledger.redis.delete(f"{keys.LOCKED}sandbox")
    look(yard.make(REPAIR))
    assert yard.cloud.alias(FUNCTION, "sandbox")["FunctionVersion"] == second


def test_whoever_moves_it_in_the_last_moment_wins(yard):
    """The repair is bound to the revision that was read: it never undoes what came after."""
    first, second, third = (yard.release() for _ in range(3))
    yard.point("sandbox", first)
    yard.strict.meanwhile("UpdateAlias", lambda: moved(yard, second))
    found, _ = look(yard.make(REPAIR))
    assert yard.cloud.alias(FUNCTION, "sandbox")["FunctionVersion"] == second
    assert kinds(found) == ["moved"]
    look(yard.make(REPAIR))
    assert yard.cloud.alias(FUNCTION, "sandbox")["FunctionVersion"] == third


def moved(yard, version):
    """Move the alias through the strict AWS, which gives it a new revision."""
    from workers.aws.session import Aws

    client = Aws("eu-west-3", endpoint_url=yard.strict.url).lambda_
    client.update_alias(FunctionName=FUNCTION, Name="sandbox", FunctionVersion=version)


def test_a_version_that_is_gone_cannot_be_put_back(yard):
    """The log says what to do instead."""
    first, second = yard.release(), yard.release()
    yard.point("sandbox", first)
    yard.client.delete_function(FunctionName=FUNCTION, Qualifier=second)
    found, logs = look(yard.make(REPAIR))
    assert logs[-1]["event"] == "drift_not_repaired"
    assert "roll back" in logs[-1]["error"]
    assert found.functions[0].unrepaired == logs[-1]["error"]


def test_a_repair_that_aws_refuses_is_on_record_until_it_is_done(yard):
    """Whoever looks at the environment sees what must be allowed; the log is not the only place."""
    first, second = yard.release(), yard.release()
    yard.point("sandbox", first)
    assert look(yard.shop)[0].functions[0].unrepaired is None, "nobody wants it put back"
    yard.strict.fail_next("UpdateAlias", status=403, code="AccessDeniedException")
    found, _ = look(yard.make(REPAIR))
    assert yard.strict.struck["UpdateAlias"] == 1
    assert kinds(found) == ["moved"]
    assert "UpdateAlias needs lambda:UpdateAlias" in found.functions[0].unrepaired
    found, _ = look(yard.make(REPAIR))
    assert (kinds(found), found.functions[0].unrepaired) == ([], None)
    assert yard.cloud.alias(FUNCTION, "sandbox")["FunctionVersion"] == second


def test_code_storage_that_fills_is_told_once_a_day(yard):
    """At eighty percent there is a warning, the next look says nothing more."""
    yard.release()
    yard.strict.code_storage = (79, 100)
    told = []
    for used in (79, 80, 95):
        yard.strict.code_storage = (used, 100)
        with capture_logs() as logs:
            watch.watch(yard.shop, pause=0)
        told.append([line["environment"] for line in logs if line["event"] == "code_storage_fills"])
    assert told == [[], ["sandbox", "production"], []]


def test_code_storage_that_may_not_be_read_is_left_out(yard):
    """Without the permission everything else is still seen."""
    yard.release()
    yard.strict.fail_next("GetAccountSettings", times=2, status=403, code="AccessDeniedException")
    found, _ = look(yard.shop)
    assert yard.strict.struck["GetAccountSettings"] == 2
    assert found.storage is None
    assert found.functions[0].live


def test_an_asked_look_answers_everybody_who_asked_before_it(yard):
    """Two who ask at once get one look; who asks later gets another one."""
    yard.release()
    observations = Observations(yard.ledger.redis)
    first = observations.ask("sandbox", "deploy")
    assert observations.ask("sandbox", "deploy") == first
    assert yard.ledger.backlog("deploy") == 1
    watch.answer(yard.shop, "sandbox")
    found = observations.latest("sandbox")
    assert found.at >= first
    assert observations.asked("sandbox") is None
    watch.answer(yard.shop, "sandbox")
    assert observations.latest("sandbox") == found
    assert observations.ask("sandbox", "deploy") > found.at


def test_who_asks_during_a_look_gets_the_next_one(yard):
    """A look that had begun before the question does not answer it."""
    yard.release()
    observations = Observations(yard.ledger.redis)
    with yard.ledger.alone("look:sandbox", 60):
        asked = observations.ask("sandbox", "deploy")
        waiting = threading.Thread(target=watch.answer, args=[yard.shop, "sandbox"])
        waiting.start()
        observations.write(Observation(environment="sandbox", at=asked - 1))
    waiting.join()
    assert observations.latest("sandbox").at >= asked


def test_an_older_look_never_replaces_a_newer_one(yard):
    """A slow worker's answer comes too late."""
    observations = Observations(yard.ledger.redis)
    assert observations.write(Observation(environment="sandbox", at=2))
    assert not observations.write(Observation(environment="sandbox", at=1))
    assert observations.latest("sandbox").at == 2


@pytest.fixture
def hub(tmp_path, yard):
    """GitHub with the repository, which the yard's orders come from."""
    with GitHub(tmp_path / "github") as hub:
        hub.create_repository(REPOSITORY, default_branch="develop")
        first = hub.commit(REPOSITORY, "develop", {"a": "one"}, "A change")
        known = hub.push_payload(REPOSITORY, "develop")["repository"]
        yard.facts = {"clone_url": known["clone_url"], "repository_id": known["id"]}
        yard.shop = yard.make(OPERATOR, github_api_url=hub.api_url, github_token=TOKEN)
        yard.release(commit=first)
        yield hub


def test_the_heads_of_branches_are_seen(yard, hub):
    """The commit that a branch is at, also one that no webhook told of."""
    newer = hub.commit(REPOSITORY, "develop", {"a": "two"}, "Another change")
    (head,) = look(yard.shop)[0].heads
    assert (head.repository, head.branch, head.commit) == (REPOSITORY, "develop", newer)
    assert look(yard.shop, "production")[0].heads == ()


def test_a_branch_that_cannot_be_asked_is_said(yard, hub):
    """GitHub's fault is part of the look, and hides nothing else."""
    shop = yard.make(OPERATOR, github_api_url="http://127.0.0.1:9")
    found, _ = look(shop)
    assert found.heads[0].fault
    assert found.functions[0].live
