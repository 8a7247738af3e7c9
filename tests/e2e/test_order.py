"""Which commit wins, whatever the order of arrival; and environments that share a function."""

import re
import time
from uuid import uuid4

import pytest

from tests.e2e.town import BUCKET, DEPLOY, PASSES, pipeline, until

pytestmark = pytest.mark.e2e

STAGING = "slipway/deploy/staging"


def test_an_older_commit_does_not_take_the_alias_back(town):
    """A push that comes after its successor's ends superseded; the alias stays."""
    place = town.place("order")
    older = place.commit(place.files("one"))
    late = town.github.push_payload(place.repository, "develop")
    newer = place.push(place.files("two"))
    place.assert_deployed(newer)
    live = place.alias()

    assert town.github.deliver("push", late).status_code == 202
    run = place.ended(older)
    assert run["state"] == "superseded", place.story(older)
    assert place.alias() == live
    assert place.moves() == [("sandbox", live)]
    assert place.states(older)[DEPLOY] == "error"
    assert newer[:7] in place.latest(older)[DEPLOY].description


def test_environments_of_one_function_run_their_own_code(town):
    """Pushes to two branches at once, $LATEST being shared: each alias runs its own package."""
    place = town.place("two-branches")
    base = place.commit(place.files("base"))
    town.github.set_branch(place.repository, "preprod", base)
    heads = {
        "sandbox": place.push(place.files("for sandbox"), "develop"),
        "staging": place.push(place.files("for staging"), "preprod"),
    }
    hashes = {}
    for environment, commit in heads.items():
        run = place.ended(commit)
        assert run["state"] == "succeeded", place.story(commit)
        hashes[environment] = run["releases"][0]["sha256"]
    assert hashes["sandbox"] != hashes["staging"]
    live = {version["Version"]: version for version in town.aws.versions(place.function)}
    for environment, commit in heads.items():
        version = live[place.alias(environment)]
        assert version["Description"] == commit
        assert version["CodeSha256"] == hashes[environment]
    assert len(place.moves()) == len(live) == 2


def test_one_commit_in_two_environments_is_one_version(town):
    """The same commit on two branches: two runs and two aliases, one package and one version."""
    place = town.place("one-commit")
    commit = place.push()
    place.assert_deployed(commit)
    town.github.set_branch(place.repository, "preprod", commit)
    town.github.push_event(place.repository, "preprod")
    run = place.ended(commit, environment="staging")
    assert run["state"] == "succeeded", run
    until(lambda: place.states(commit).get(STAGING) == "success", 10, "staging's status")
    assert place.versions() == [place.alias("staging")] == [place.alias("sandbox")]
    assert len(place.packages()) == 1


def test_the_same_tree_gives_the_same_bytes(town):
    """Two repositories, two times, nothing cached between them: one SHA-256."""
    places = [town.place("twin-a"), town.place("twin-b")]
    # The commit's id in a step makes BuildKit do it and all that follow again.
    dockerfile = (
        "FROM python:3.11-slim\nWORKDIR /app\nARG COMMIT\nRUN echo $COMMIT\nCOPY . ./\n"
        "RUN rm slipway.toml; mkdir made; date +%N > /tmp/now; echo made > made/file; "
        "ln -s file made/link\n"
    )
    commits = []
    for date, place in enumerate(places):
        checks = f'unit = "{PASSES}"'
        toml = pipeline(place.function, checks, 'args = { COMMIT = "{commit}" }')
        files = place.files(Dockerfile=dockerfile, slipway__toml=toml)
        commit = place.push(files, message=str(uuid4()), date=1_500_000_000 + date * 100_000_000)
        place.assert_deployed(commit)
        log = place.log(commit)
        (step,) = set(re.findall(r"^\[build/image\] (#\d+) \[5/5\]", log, re.MULTILINE))
        assert f"[build/image] {step} CACHED" not in log
        commits.append(commit)
    packages = [
        town.aws.read(BUCKET, f"{place.function}/{commit}.zip")
        for place, commit in zip(places, commits, strict=True)
    ]
    assert commits[0] != commits[1]
    assert packages[0] == packages[1]
    names = town.aws.files(BUCKET, f"{places[0].function}/{commits[0]}.zip")
    assert "made/file" in names


def test_a_merge_with_the_same_tree_takes_over_package_and_verdict(town):
    """Sandbox, then a merge into staging: no image and no container for it, one SHA-256 on both."""
    place = town.place("built-once")
    first = place.push()
    place.assert_deployed(first)
    git = town.github.git(place.repository)
    merge = git.commit_tree(f"{first}^{{tree}}", [first], "Merge develop into preprod")
    town.github.set_branch(place.repository, "preprod", merge)
    began = time.time()
    town.github.push_event(place.repository, "preprod")
    run = place.ended(merge)
    assert run["state"] == "succeeded", place.story(merge)
    seen = town.docker.events(since=int(began), until=int(time.time()) + 1, decode=True)
    ours = [one for one in seen if run["id"] in str(one)]
    assert ours == []
    log = place.log(merge)
    earlier = place.run(first)["id"]
    assert f"[build] reused: tree {run_tree(git, merge)} was built by run {earlier}" in log
    assert f"passed in run {earlier}" in log
    assert [check["run"] for check in run["checks"]] == [earlier]
    hashes = {
        version["Version"]: version["CodeSha256"] for version in town.aws.versions(place.function)
    }
    assert hashes[place.alias("sandbox")] == hashes[place.alias("staging")]
    assert f"{place.function}/{merge}.zip" in place.packages()


def run_tree(git, commit):
    """The first letters of a commit's tree."""
    return git.run("rev-parse", f"{commit}^{{tree}}")[:7]
