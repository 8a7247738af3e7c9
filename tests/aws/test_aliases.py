"""Aliases: read, moved by compare-and-set, put back."""

import pytest

from tests.aws.conftest import COMMIT_A, COMMIT_B, REGION
from workers.aws import aliases
from workers.aws.faults import ChangedError
from workers.aws.session import Aws
from workers.ledger.model.errors import PassingError, UserError


@pytest.fixture
def client(cloud):
    """A client of moto itself, and a function of two versions, one per commit."""
    cloud.function("Store")
    made = cloud.client("lambda")
    for number, commit in enumerate((COMMIT_A, COMMIT_B)):
        made.update_function_code(
            FunctionName="Store", ZipFile=cloud.package(f"text {number}").path.read_bytes()
        )
        made.publish_version(FunctionName="Store", Description=commit)
    return made


@pytest.fixture
def once(cloud):
    """A session that doesn't repeat calls."""
    return Aws(REGION, endpoint_url=cloud.strict.url, attempts=1)


def make(client, version="1", **weights):
    """An alias made by hand; weights as v2=0.1."""
    shares = {name.removeprefix("v"): share for name, share in weights.items()}
    client.create_alias(
        FunctionName="Store",
        Name="sandbox",
        FunctionVersion=version,
        RoutingConfig={"AdditionalVersionWeights": shares},
    )


def read(aws):
    """The alias sandbox."""
    return aliases.read(aws, "Store", "sandbox")


def move(aws, version, expected):
    """Move the alias sandbox."""
    return aliases.move(aws, "Store", "sandbox", version, expected)


def put_back(aws, before, moved_to):
    """Put the alias sandbox back."""
    aliases.put_back(aws, "Store", "sandbox", before, moved_to, confirm=lambda: None)


def test_an_alias_is_read_with_the_commit_of_its_version(aws, client):
    """Version, weights, commit and revision come together."""
    make(client, "1", v2=0.25)
    found = read(aws)
    assert (found.version, found.weights, found.commit) == ("1", {"2": 0.25}, COMMIT_A)
    assert found.revision_id


def test_a_missing_alias_is_none(aws, client):
    """No alias is no fault: the release creates it."""
    assert read(aws) is None


def test_an_alias_stands_until_somebody_moves_it(aws, client, strict):
    """Whether it moved, came or went is asked without a call of Lambda's scarce quota."""
    assert aliases.stands(aws, "Store", "sandbox", None)
    make(client, "1")
    found = read(aws)
    before = strict.calls["GetAlias"]
    assert aliases.stands(aws, "Store", "sandbox", found)
    assert not aliases.stands(aws, "Store", "sandbox", None)
    client.update_alias(FunctionName="Store", Name="sandbox", FunctionVersion="2")
    assert not aliases.stands(aws, "Store", "sandbox", found)
    client.delete_alias(FunctionName="Store", Name="sandbox")
    assert not aliases.stands(aws, "Store", "sandbox", found)
    assert strict.calls["GetAlias"] == before


def test_a_missing_function_is_the_users_fault(aws, cloud):
    """A missing function isn't mistaken for a missing alias."""
    with pytest.raises(UserError, match="function Store doesn't exist"):
        read(aws)


def test_a_missing_alias_is_created(aws, client):
    """The first release makes the alias."""
    assert move(aws, "1", None).at("1")
    assert read(aws).commit == COMMIT_A


def test_an_alias_moves(aws, client):
    """The answer is the alias as it is now, with the revision for the next move."""
    make(client)
    moved = move(aws, "2", read(aws))
    assert moved.at("2")
    assert move(aws, "1", moved).at("1")


def test_an_alias_that_is_there_already_costs_no_call(aws, client, strict):
    """Repeating a release writes nothing."""
    make(client, "2")
    expected = read(aws)
    before = strict.calls.total()
    assert move(aws, "2", expected) == expected
    assert strict.calls.total() == before


@pytest.mark.parametrize("version", ["1", "2"])
def test_weights_of_an_abandoned_canary_go(aws, client, version):
    """After a move all requests go to one version, also when the main version stays."""
    make(client, "1", v2=0.5)
    assert move(aws, version, read(aws)).at(version)
    assert read(aws).at(version)


def test_a_stale_decision_doesnt_move(aws, client):
    """Whoever decided on an older reading loses, and the alias stays with the winner."""
    make(client)
    stale = read(aws)
    move(aws, "2", stale)
    back = move(aws, "1", read(aws))
    with pytest.raises(ChangedError):
        move(aws, "2", stale)
    assert read(aws).revision_id == back.revision_id
    assert read(aws).at("1")


def test_an_alias_made_meanwhile_isnt_overwritten(aws, client):
    """A creation that meets another's alias at another version loses."""
    make(client, "2")
    with pytest.raises(ChangedError):
        move(aws, "1", None)
    assert read(aws).at("2")


def test_an_alias_removed_meanwhile_is_a_change(aws, client):
    """A move of an alias that is gone is decided again."""
    make(client)
    expected = read(aws)
    client.delete_alias(FunctionName="Store", Name="sandbox")
    with pytest.raises(ChangedError):
        move(aws, "2", expected)


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("session", ["aws", "once"])
def test_a_lost_answer_counts_as_moved(request, client, strict, exists, session):
    """A move whose answer was lost is read back and found done, once."""
    aws = request.getfixturevalue(session)
    if exists:
        make(client)
    expected = read(aws)
    operation = "UpdateAlias" if exists else "CreateAlias"
    strict.fail_next(operation, cut_after_success=True)
    assert move(aws, "2", expected).at("2")
    assert strict.struck[operation] == 1
    assert read(aws).at("2")


@pytest.mark.parametrize("fault", [{"cut": True}, {"status": 500, "code": "ServiceException"}])
def test_a_move_that_never_arrived_is_passing(once, client, strict, fault):
    """Where the alias didn't move, the caller hears it."""
    make(client)
    expected = read(once)
    strict.fail_next("UpdateAlias", **fault)
    with pytest.raises(PassingError):
        move(once, "2", expected)
    assert read(once).at("1")


def test_a_created_alias_is_put_back_by_removing_it(aws, client):
    """What wasn't there before isn't there afterwards."""
    move(aws, "2", None)
    put_back(aws, None, "2")
    assert read(aws) is None


def test_a_moved_alias_is_put_back_with_its_weights(aws, client):
    """A canary that ran before runs again."""
    make(client, "1", v2=0.1)
    before = read(aws)
    move(aws, "2", before)
    put_back(aws, before, "2")
    now = read(aws)
    assert (now.version, now.weights) == ("1", {"2": 0.1})


def test_putting_back_what_never_moved_writes_nothing(aws, client, strict):
    """After a move of unknown outcome, putting back is safe."""
    make(client)
    put_back(aws, read(aws), "2")
    put_back(aws, None, "2")
    assert strict.calls["UpdateAlias"] == strict.calls["DeleteAlias"] == 0
    assert read(aws).at("1")


def test_aws_own_weights_dont_stop_putting_back(aws, client):
    """Where AWS still shifts traffic by itself, our move is undone all the same."""
    make(client)
    before = read(aws)
    move(aws, "2", before)
    client.update_alias(
        FunctionName="Store",
        Name="sandbox",
        RoutingConfig={"AdditionalVersionWeights": {"1": 0.9}},
    )
    put_back(aws, before, "2")
    assert read(aws).at("1")


def test_what_others_moved_since_is_left_alone(aws, client):
    """Putting back never undoes another's move."""
    make(client)
    before = read(aws)
    moved = move(aws, "2", before)
    client.publish_version(FunctionName="Store")
    client.update_function_code(FunctionName="Store", ZipFile=b"third")
    client.publish_version(FunctionName="Store", Description="c" * 40)
    move(aws, "3", moved)
    put_back(aws, before, "2")
    assert read(aws).at("3")
