"""What a rollback goes back to, out of rows as the ledger keeps them."""

import pytest

from workers.ledger.model.released import Released
from workers.ledger.model.rollback import AmbiguousError, UnknownError, find

FIRST, SECOND, THIRD = (letter * 40 for letter in "abc")


class History:
    """Releases, in the order in which they happened."""

    def __init__(self) -> None:
        self._rows = []
        self._runs = 0

    def release(self, commit, *functions, repository="octo/store", back=None, site=None):
        """Functions that one run made live; `back` is the rollback's own part of a row."""
        self._runs += 1
        source = {"repository": repository, "repository_id": 7, "clone_url": "u", "ref": "r"}
        row = {"commit": commit, "repository": repository, "run": str(self._runs)}
        row |= {"source": source, "alias": "production"}
        row |= {"rollback": back} if back is not None else {}
        for name in functions or ("List",):
            self._add(row | {"function": name, "version": str(self._runs), "sha256": name})
        if site:
            placed = {"bucket": site, "keep": 60.0, "distribution": None}
            self._add(row | {"function": None, "version": None, "sha256": "s", "site": placed})
        return self

    def _add(self, row):
        self._rows.insert(0, Released.model_validate(row))

    def find(self, to, **which):
        """The target of a rollback."""
        return find(self._rows, to, **which)


def test_all_that_a_commit_had():
    """Its functions with their versions and its site; what came later is not among it."""
    history = History().release(FIRST, "List", "Add", site="shop").release(SECOND, "List", "New")
    target = history.find(FIRST)
    assert [(one.function, one.version) for one in target.releases] == [("Add", "1"), ("List", "1")]
    assert (target.site.bucket, target.source.repository_id) == ("shop", 7)


def test_its_newest_version_counts():
    """A commit that was released twice, the second time from a version published anew."""
    history = History().release(FIRST, "List", "Add").release(SECOND).release(FIRST, "List")
    versions = {one.function: one.version for one in history.find(FIRST).releases}
    assert versions == {"List": "3", "Add": "1"}


def test_one_function_leaves_the_site():
    """Nothing but that function, in whatever case it is written."""
    history = History().release(FIRST, "List", "Add", site="shop").release(SECOND)
    target = history.find(FIRST, function="add")
    assert [one.function for one in target.releases] == ["Add"]
    assert target.site is None


@pytest.mark.parametrize("to", ["", "a" * 6, "master", "HEAD~1", "g" * 40, "a" * 65, "Previous"])
def test_what_is_no_commit(to):
    """Six digits are too few, names are not looked up."""
    with pytest.raises(ValueError, match="at least 7 digits"):
        History().release(FIRST).find(to)


def test_how_a_commit_begins():
    """Seven digits do where they name one commit, in either case; else all are named."""
    other = FIRST[:10] + "b" * 30
    history = History().release(FIRST).release(other)
    assert history.find(other[:11].upper()).commit == other
    with pytest.raises(AmbiguousError, match=f"{other}, {FIRST}"):
        history.find(FIRST[:7])


def test_what_was_never_released():
    """An empty history, a commit, a repository and a function of which there is no row."""
    history = History().release(FIRST)
    for to, which in (
        (SECOND, {}),
        (FIRST, {"function": "Add"}),
        (FIRST, {"repository": "octo/other"}),
        ("previous", {}),
    ):
        with pytest.raises(UnknownError):
            history.find(to, **which)
    with pytest.raises(UnknownError, match="nothing was ever released"):
        History().find(FIRST)


def test_several_repositories_must_be_told_apart():
    """`previous` of which? And a fork has the same commits."""
    history = History().release(FIRST).release(SECOND).release(FIRST, repository="fork/store")
    for to in ("previous", FIRST):
        with pytest.raises(AmbiguousError, match="fork/store, octo/store; name one"):
            history.find(to)
    assert history.find(SECOND).commit == SECOND
    assert history.find("previous", repository="Octo/Store").commit == FIRST


def test_previous_after_rollbacks():
    """What was rolled back from is left out, what was deployed since counts."""
    history = History().release(FIRST).release(SECOND).release(THIRD)
    history.release(SECOND, back={"function": None})
    assert history.find("previous").commit == FIRST
    history.release("d" * 40)
    assert history.find("previous").commit == SECOND
    history.release(FIRST, back={"function": None})
    with pytest.raises(UnknownError, match=f"before {FIRST[:7]}"):
        history.find("previous")


def test_a_rollback_forward():
    """Back to a commit that was rolled back from: it is live, and before it is what was live."""
    history = History().release(FIRST).release(SECOND).release(FIRST, back={"function": None})
    history.release(SECOND, back={"function": None})
    assert history.find("previous").commit == FIRST


def test_previous_of_all_overlooks_what_one_function_did():
    """A rollback of one function is no release of the repository; for that function it is one."""
    history = History().release(FIRST, "List", "Add").release(SECOND, "List", "Add")
    history.release(THIRD, "List", "Add").release(FIRST, "Add", back={"function": "Add"})
    assert history.find("previous").commit == SECOND
    with pytest.raises(UnknownError):
        history.find("previous", function="Add")


def test_rows_of_an_older_slipway_are_overlooked():
    """They lack what a rollback needs, so they are as good as no release."""
    with pytest.raises(UnknownError):
        find([Released(commit=FIRST, repository="octo/store", function="List")], FIRST)
