"""What a release will do, decided by what was found; neither AWS nor Redis is asked."""

from workers.ledger.model.alias import Alias
from workers.ledger.model.released import Released
from workers.ledger.model.run import Release
from workers.stages.release.plan import SITE, Move, Plan

OURS, THEIRS = "a" * 40, "b" * 40


def move(name="Add", version="2", found=None, record=None):
    """One function's alias on its way."""
    release = Release(function=name, version=version, sha256=f"{name}=", commits=())
    return Move(release, f"account/region/{name}/live", found, record)


def plan(*moves, **more):
    """A plan for the alias `live`."""
    return Plan("live", moves, **more)


def test_a_record_of_ours_knows_better_which_commit_a_shared_version_is():
    """The version bears the commit that published it, and may have been released for another."""
    found = Alias("1", "r", commit=THEIRS)
    recorded = move(found=found, record=Released(version="1", commit=OURS))
    assert (recorded.commit, recorded.ours) == (OURS, True)
    outdated = move(found=found, record=Released(version="7", commit=OURS))
    assert (outdated.commit, outdated.ours) == (THEIRS, False)
    unknown = move(found=found)
    assert (unknown.commit, unknown.ours) == (THEIRS, False)
    absent = move(record=Released(version="1", commit=OURS))
    assert (absent.commit, absent.ours) == (None, False)


def test_what_was_changed_by_hand_is_told_against_the_record():
    """Another version, weights, a deleted alias; nothing where there is no record or no change."""
    record = Released(version="1", commit=OURS, run="r")
    assert move(found=Alias("9", "r")).by_hand("live") == ()
    assert move(found=Alias("1", "r", commit=OURS), record=record).by_hand("live") == ()
    moved = move(found=Alias("9", "r", {"1": 0.5}, THEIRS), record=record).by_hand("live")
    assert [one.kind for one in moved] == ["moved", "weights"]
    (gone,) = move(record=record).by_hand("live")
    assert gone.kind == "alias deleted"


def test_all_go_together_at_the_first_try():
    """Nothing goes alone, and no site is tried before."""
    made = plan(move("Add"), move("List"))
    assert made.alone == ()
    assert [one.function for one in made.together] == ["Add", "List"]
    assert made.functions == ("Add", "List")
    assert not made.tries_site


def test_what_was_stuck_goes_first_alone_the_latest_before_others():
    """The site is no alias, and what this run no longer has is passed over."""
    made = plan(move("Add"), move("List"), move("Find"), stuck=("Find", SITE, "Gone", "Add"))
    assert [one.function for one in made.alone] == ["Find", "Add"]
    assert [one.function for one in made.together] == ["List"]
    assert made.tries_site


def test_what_was_noted_before_an_earlier_try_is_what_it_goes_back_to():
    """By the next try the aliases may have moved: what they point to now is not as before."""
    now = Alias("2", "r2")
    assert plan(move(found=now), move("New")).before == {"Add": now, "New": None}
    noted = {"Add": Alias("1", "r1")}
    assert plan(move(found=now), noted=noted).before == noted
    assert plan(move(found=now), noted={}).before == {}


def test_what_is_released_bears_the_alias():
    """The versions and hashes are those that the deploy stage has published."""
    (released,) = plan(move("Add", version="5")).released
    expected = {"function": "Add", "version": "5", "alias": "live", "sha256": "Add="}
    assert released.model_dump(exclude={"commits"}) == expected


def test_an_alias_at_its_target_is_known():
    """By the version, whatever its weights; none at all is not there yet."""
    assert move(version="2", found=Alias("2", "r", {"1": 0.5})).at_target
    assert not move(version="2", found=Alias("1", "r")).at_target
    assert not move(version="2").at_target
