"""Secrets: planted in every place that holds one, and looked for in every place that must not."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from docker.errors import APIError

from tests.e2e.town import BUCKET, CANARIES, DEPLOY, Town, pipeline, until

pytestmark = pytest.mark.e2e

SPIES = """
prints = "env; id; cat /proc/*/environ | tr '\\\\000' '\\\\n'; ls -la / /run /var/run; cat leak"
lists = "ls /var/run/docker.sock /run/secrets; cat /proc/*/cmdline | tr '\\\\000' ' '"
waits = "echo here; until test -f /tmp/go; do sleep 0.1; done"
"""
DOCKERFILE = """FROM python:3.11-slim
WORKDIR /app
COPY index.py leak ./
RUN env; cat /proc/*/environ | tr '\\\\000' '\\\\n'; cat /run/secrets/* || true
RUN printf 'it was %s%s\\\\n' ghp-canary -4cc8f1b07d
"""


BROKEN = """FROM python:3.11-slim
RUN printf 'a try of %s%s\\n' ghp-canary -4cc8f1b07d; exit 1
"""


def _commands() -> Iterator[str]:
    """The folder and the command line of every process of this machine."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ")
            yield f"{(process / 'cwd').readlink()} $ {words.decode(errors='replace')}"


def _assert_none_in(where: str, text: str) -> None:
    for name, canary in CANARIES.items():
        at = text.find(canary)
        assert at < 0, f"{name} in {where}: …{text[max(0, at - 200) : at + 60]}"


@pytest.fixture(scope="module")
def spied(town: Town):
    """A run whose checks and build look for secrets and print one, and whose fetch fails once."""
    place = town.place("spy")
    fetch = f"^/{place.repository}.git/git-upload-pack"
    town.github.fail_next("POST", fetch, status=500, body=CANARIES["GITHUB_TOKEN"])
    slow = town.github.fail_next("POST", fetch, status=None, delay=1)
    files = place.files(
        Dockerfile=DOCKERFILE,
        Dockerfile__test=DOCKERFILE,
        slipway__toml=pipeline(place.function, SPIES),
        leak=f"{uuid4()} keeps BuildKit from its cache\n",
    )
    files["Dockerfile.test"] = DOCKERFILE
    commit = place.push({name: text for name, text in files.items() if "__" not in name})
    seen = set(_commands())
    until(lambda: slow.struck, 60, lambda: place.story(commit))
    seen |= set(_commands())
    until(lambda: "[test/waits] here" in place.log(commit), 60, lambda: place.story(commit))
    seen |= set(_commands())
    run_id = place.run(commit)["id"]
    histories = [json.dumps(i.history()) + json.dumps(i.attrs) for i in town.images(run_id)]
    histories += [json.dumps(c.attrs) for c in town.containers(run_id)]
    for container in town.containers(run_id):
        # The other checks' containers may just have ended.
        with suppress(APIError):
            container.exec_run(["touch", "/tmp/go"])
    place.ended(commit)
    return place, commit, seen, histories


def test_the_spy_has_run(spied, town):
    """The spies did look and print, or the other tests would prove nothing."""
    place, commit, seen, histories = spied
    log, data = place.log(commit), town.slipway.folder / "data"
    assert "[test/prints] PATH=" in log, place.story(commit)
    assert "trying again in" in log
    assert "it was ***" in log, place.story(commit)
    assert any(" fetch " in command and command.startswith(str(data)) for command in seen)
    assert len(histories) > 1


def test_no_secret_on_a_command_line(spied):
    """Neither git nor docker nor Slipway itself is given one as an argument."""
    _, _, seen, _ = spied
    _assert_none_in("a command line", "\n".join(seen))


def test_no_secret_in_docker(spied):
    """Images, their histories and containers hold none."""
    _, _, _, histories = spied
    _assert_none_in("an image or a container", "\n".join(histories))


def test_no_secret_in_what_people_see(spied, town):
    """Logs, runs, statuses and what is stored in S3 hold none."""
    place, commit, _, _ = spied
    run = place.run(commit)
    _assert_none_in("the log", place.log(commit))
    _assert_none_in("the run", json.dumps(run))
    _assert_none_in("the page", town.slipway.get(f"/runs/{run['id']}").text)
    _assert_none_in("the metrics", town.slipway.get("/metrics").text)
    statuses = [str(one) for one in town.github.statuses(place.repository, commit)]
    _assert_none_in("a status", "\n".join(statuses))
    archived = f"slipway/logs/{run['id']}.txt"
    until(lambda: archived in town.aws.objects(BUCKET), 10, "the log is not archived")
    for key in town.aws.objects(BUCKET):
        _assert_none_in(key, town.aws.read(BUCKET, key).decode(errors="replace"))


@pytest.fixture(scope="module")
def broken(town: Town):
    """A run that failed, since its build printed a secret and gave up; its commit names one."""
    place = town.place("broken-spy")
    subject = f"Use {CANARIES['GITHUB_TOKEN']}"
    commit = place.push(place.files(Dockerfile=BROKEN), message=subject)
    place.ended(commit)
    return place, commit


def test_no_secret_in_the_error_of_a_build(broken, town):
    """What a failed step said is in the run's error, its stage, its status and its page: masked."""
    place, commit = broken
    run = place.run(commit)
    assert run["state"] == "failed"
    assert "a try of ***" in run["error"], place.story(commit)
    (failed,) = [stage for stage in run["stages"] if stage["state"] == "failed"]
    assert (failed["name"], failed["error"]) == ("build", run["error"])
    page = town.slipway.get(f"/runs/{run['id']}").text
    assert "a try of ***" in page
    status = place.latest(commit)[DEPLOY]
    assert status.description.startswith("the image build of Dockerfile failed (exit code 1):")
    assert place.facts(commit)["subject"] == "Use ***"
    _assert_none_in("the run", json.dumps(run))
    _assert_none_in("its record", json.dumps(place.facts(commit)))
    _assert_none_in("the page", page)
    _assert_none_in("the log", place.log(commit))
    statuses = town.github.statuses(place.repository, commit)
    _assert_none_in("a status", "\n".join(str(one) for one in statuses))


def test_a_name_that_holds_a_secret_is_refused(town):
    """A check's name would be in statuses, keys of S3 and addresses: nothing of it is run."""
    place = town.place("named-spy")
    checks = f'{CANARIES["GITHUB_TOKEN"]} = "true"'
    commit = place.push(place.files(slipway__toml=pipeline(place.function, checks)))
    run = place.ended(commit)
    assert run["state"] == "failed"
    assert "the name *** holds a secret" in place.latest(commit)[DEPLOY].description
    _assert_none_in("the run", json.dumps(run))
    _assert_none_in("the log", place.log(commit))


@pytest.mark.usefixtures("spied", "broken")
def test_no_secret_on_the_disk(town):
    """Slipway's own logs, its mirrors and workspaces, and Redis's file hold none."""
    assert (town.slipway.folder / "worker.log").stat().st_size > 1000
    for folder in (town.slipway.folder, town.redis.folder):
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert files
        for path in files:
            _assert_none_in(str(path), path.read_bytes().decode(errors="replace"))
