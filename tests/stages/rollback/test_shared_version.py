"""Commits of one tree share a version, which bears the first of them: all of them are named."""

import pytest

from tests.stages.rollback.conftest import ENVIRONMENT, A, Harbour
from workers.ledger.model.run import Run
from workers.ledger.upkeep import Upkeep

BEARER = {"Authorization": "Bearer alices-own-token"}


def get(harbour: Harbour, path: str) -> dict:
    """What the API answers."""
    answer = harbour.inside.web.get(f"/api/v1{path}", headers=BEARER)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def version(run: Run) -> str:
    """The version of a run's one function."""
    (release,) = run.releases
    return str(release.version)


def test_a_version_of_one_commit_stands_for_that_alone(harbour: Harbour) -> None:
    """The usual case: nothing more is kept or said, nor shown by the API."""
    run = harbour.deployed(A)
    assert run.releases[0].commits == ()
    assert "stands for" not in harbour.inside.log(run.id)
    (shown,) = get(harbour, f"/runs/{run.id}")["releases"]
    (row,) = get(harbour, f"/environments/{ENVIRONMENT}/releases")["releases"]
    assert set(shown) == {"function", "version", "alias", "sha256"}
    assert (row["commit"], "commits" in row) == (run.order.commit, False)


def test_a_merge_of_an_unchanged_tree_names_the_commit_that_the_version_bears(
    harbour: Harbour,
) -> None:
    """Run, log, history and plan say for which commits the shared version stands."""
    one = harbour.deployed(A)
    first = one.order.commit
    two = harbour.deployed(A, like=first)
    three = harbour.deployed(A, like=first)
    commits = [first, two.order.commit, three.order.commit]
    assert version(three) == version(two) == version(one)
    assert harbour.alias(A) == first, "AWS knows the version by its first commit"
    assert list(two.releases[0].commits) == commits[:2]
    assert list(three.releases[0].commits) == commits
    shorts = ", ".join(commit[:7] for commit in commits)
    assert f"version 1 stands for commits {shorts}" in harbour.inside.log(three.id)
    run = get(harbour, f"/runs/{three.id}")
    assert run["shared"] == [{"function": A, "version": version(three), "commits": commits}]
    assert set(run["releases"][0]) == {"function", "version", "alias", "sha256"}
    rows = get(harbour, f"/environments/{ENVIRONMENT}/releases")["releases"]
    assert [row.get("commits") for row in rows] == [commits, commits[:2], None]
    (function,) = get(harbour, f"/environments/{ENVIRONMENT}")["functions"]
    assert (function["record"]["commit"], function["record"]["commits"]) == (commits[2], commits)


@pytest.mark.parametrize("third", [ENVIRONMENT, "other"])
def test_another_environments_merge_shares_it_too(harbour: Harbour, third: str) -> None:
    """AWS gives the version that there is; what each environment made of it is known to all."""
    one = harbour.deployed(A)
    first = one.order.commit
    two = harbour.deployed(A, environment="other", like=first)
    assert version(two) == version(one)
    assert list(two.releases[0].commits) == [first, two.order.commit]
    three = harbour.deployed(A, environment=third, like=first)
    assert list(three.releases[0].commits) == [first, two.order.commit, three.order.commit]
    assert f"version 1 is commit {two.order.commit[:7]}" not in harbour.inside.log(two.id)


def test_other_code_is_a_version_of_its_own(harbour: Harbour) -> None:
    """Nothing is shared with a commit that has another package."""
    one, two = harbour.deployed(A), harbour.deployed(A)
    assert version(one) != version(two)
    assert two.releases[0].commits == ()


def test_a_rollback_says_it_as_the_release_did(harbour: Harbour) -> None:
    """Back to a commit whose version bears another one: both are named."""
    first = harbour.deployed(A).order.commit
    second = harbour.deployed(A, like=first).order.commit
    harbour.deployed(A)
    back = harbour.rolled_back(second)
    assert list(back.releases[0].commits) == [first, second]
    (row, *_) = get(harbour, f"/environments/{ENVIRONMENT}/releases")["releases"]
    assert (row["commit"], row["commits"]) == (second, [first, second])


def test_a_version_that_is_forgotten_takes_its_commits_along(harbour: Harbour) -> None:
    """What is known of a version for later commits ends with the version."""
    one = harbour.deployed(A)
    first = one.order.commit
    harbour.deployed(A, like=first)
    upkeep, home = Upkeep(harbour.inside.shop.ledger.redis), "123456789012/eu-west-3"
    sha256 = one.releases[0].sha256
    assert len(upkeep.commits(home, A, "1", sha256)) == 2
    assert upkeep.commits(home, A, "1", "another's") == [], "a function that was made anew"
    for mark in upkeep.published(home, A):
        upkeep.pruned(home, A, mark, [ENVIRONMENT], deleted=False)
    assert upkeep.commits(home, A, "1", sha256) == []
