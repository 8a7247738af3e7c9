"""An alias between two versions: its shares, and the way back."""

import pytest

from tests.aws.conftest import COMMIT_A, COMMIT_B
from workers.aws import aliases, shares
from workers.aws.faults import ChangedError
from workers.aws.shares import MovedError, split
from workers.ledger.model.alias import Alias

BEFORE = Alias("1", None)
TENTH = split("1", "2", 10)


@pytest.fixture
def client(cloud):
    """A client of moto itself, a function of three versions, and an alias at the first."""
    cloud.function("Store")
    made = cloud.client("lambda")
    for number, commit in enumerate((COMMIT_A, COMMIT_B, "c" * 40)):
        made.update_function_code(
            FunctionName="Store", ZipFile=cloud.package(f"text {number}").path.read_bytes()
        )
        made.publish_version(FunctionName="Store", Description=commit)
    made.create_alias(FunctionName="Store", Name="sandbox", FunctionVersion="1")
    return made


def step(aws, left, wanted):
    """Give the alias its next share."""
    shares.step(aws, "Store", "sandbox", left, wanted, confirm=lambda: None)


def put_back(aws, before="1", ours=TENTH):
    """Put the alias back, if it is as given."""
    return shares.put_back(
        aws, "Store", "sandbox", before, lambda live: live.same(ours), confirm=lambda: None
    )


def look(aws):
    """The alias now."""
    found = aliases.look(aws, "Store", "sandbox")
    return found and (found.version, found.weights)


@pytest.mark.parametrize(
    ("percent", "version", "weights"),
    [(10, "1", {"2": 0.1}), (33, "1", {"2": 0.33}), (99, "1", {"2": 0.99}), (100, "2", {})],
)
def test_a_share_is_a_weight_of_the_new_version(percent, version, weights):
    """The old version stays the alias's own, until the new one gets everything."""
    found = split("1", "2", percent)
    assert (found.version, found.weights) == (version, weights)


def test_a_step_is_taken_once(aws, client, strict):
    """A share that is there already is not written again."""
    step(aws, BEFORE, TENTH)
    step(aws, BEFORE, TENTH)
    assert look(aws) == ("1", {"2": 0.1})
    assert strict.calls["UpdateAlias"] == 1


def test_a_step_whose_answer_is_lost_is_taken(aws, client, strict):
    """Botocore repeats it, loses against itself, and the share is there."""
    strict.fail_next("UpdateAlias", cut_after_success=True)
    step(aws, BEFORE, TENTH)
    assert strict.struck["UpdateAlias"] == 1
    assert look(aws) == ("1", {"2": 0.1})


def test_a_step_that_meets_another_hand_is_not_taken(aws, client, strict):
    """Between the look and the write somebody moves the alias: it stays as they set it."""

    def moved():
        client.update_alias(FunctionName="Store", Name="sandbox", FunctionVersion="3")
        strict._aliases.clear()

    strict.meanwhile("UpdateAlias", moved)
    with pytest.raises(MovedError, match="changed Store:sandbox: it runs version 3"):
        step(aws, BEFORE, TENTH)
    assert look(aws) == ("3", {})


def test_a_step_makes_an_alias_that_was_not_there(aws, client):
    """And only one that was not there: one that is gone was taken away."""
    client.delete_alias(FunctionName="Store", Name="sandbox")
    with pytest.raises(MovedError, match="it is gone"):
        step(aws, BEFORE, TENTH)
    step(aws, None, Alias("2", None))
    assert look(aws) == ("2", {})


def test_what_is_ours_goes_back_with_empty_weights(aws, client):
    """What is back already is written as it is: a step that comes later has a stale revision."""
    step(aws, BEFORE, TENTH)
    assert put_back(aws) is None
    late = aliases.look(aws, "Store", "sandbox")
    assert put_back(aws) is None
    assert look(aws) == ("1", {})
    with pytest.raises(ChangedError):
        aliases.steer(aws, "Store", "sandbox", TENTH, late)


def test_what_is_not_ours_stays(aws, client, strict):
    """It is given back, for the words about it."""
    step(aws, BEFORE, split("1", "3", 50))
    found = put_back(aws)
    assert shares.words(found) == "runs version 1, 50% to version 3"
    assert look(aws) == ("1", {"3": 0.5})


def test_an_alias_that_was_made_goes(aws, client):
    """Where there was none before, there is none afterwards."""
    assert put_back(aws, None, BEFORE) is None
    assert look(aws) is None
    assert put_back(aws, None, BEFORE) is None


def test_putting_back_meets_another_hand(aws, client, strict):
    """Somebody else moves it just then: it is theirs."""
    step(aws, BEFORE, TENTH)

    def moved():
        client.update_alias(FunctionName="Store", Name="sandbox", FunctionVersion="3")
        client.update_alias(
            FunctionName="Store", Name="sandbox", RoutingConfig={"AdditionalVersionWeights": {}}
        )
        strict._aliases.clear()

    strict.meanwhile("UpdateAlias", moved)
    assert shares.words(put_back(aws)) == "runs version 3"
