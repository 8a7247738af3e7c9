"""The walkthrough: signed POST, real Redis, real worker, real Docker, AWS, recorded status."""

import base64
import hashlib
import time

import pytest

from tests.e2e.conftest import BUCKET, FUNCTION, example, small
from workers.ledger import keys

pytestmark = pytest.mark.e2e


def test_a_push_becomes_a_live_alias(world):
    """A push to develop ends as a version that bears the commit, live on the sandbox alias."""
    commit = world.push(example())
    run = world.ended(commit)
    assert run["state"] == "succeeded", world.story(run)
    assert [stage["state"] for stage in run["stages"]] == ["succeeded"] * 9

    key = f"{FUNCTION}/{commit}.zip"
    assert key in world.aws.objects(BUCKET)
    digest = hashlib.sha256(world.aws.read(BUCKET, key)).digest()
    (version,) = world.aws.versions(FUNCTION)
    assert version["Description"] == commit
    assert version["CodeSha256"] == base64.b64encode(digest).decode()
    assert world.alias() == version["Version"]
    assert run["releases"] == [
        {
            "function": FUNCTION,
            "version": version["Version"],
            "alias": "sandbox",
            "sha256": version["CodeSha256"],
        }
    ]
    assert world.statuses(commit) == {"slipway/deploy/sandbox": "success"}
    status = world.github.latest("watchlist/movies-loader", commit)["slipway/deploy/sandbox"]
    assert status.target_url == run["url"]
    (released,) = world.slipway.get("/api/v1/environments/sandbox/releases").json()["releases"]
    assert (released["commit"], released["version"]) == (commit, version["Version"])
    assert "index.py" in world.aws.files(BUCKET, key)
    assert "[test/unit]" in world.slipway.log(run["id"])


def test_a_log_outlives_its_stream(world, redis):
    """An ended run's log is in S3, and comes back from there when somebody asks for it."""
    commit = world.push(small())
    run = world.ended(commit)
    key = f"slipway/logs/{run['id']}.txt"
    deadline = time.monotonic() + 10
    while key not in world.aws.objects(BUCKET):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    log = world.slipway.log(run["id"])
    assert world.aws.read(BUCKET, key).decode() == log
    assert redis.delete(f"{keys.LOG}{run['id']}") == 1
    assert world.slipway.log(run["id"]) == log
