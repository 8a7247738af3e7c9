"""An environment goes back while pushes come in, by real processes; and a worker dies in it."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.e2e.town import BUCKET, ENDED, Place, Town, until
from tests.stand_ins.slipway import TOKEN

pytestmark = pytest.mark.e2e

BRANCH = ENVIRONMENT = "harbour"
STATUS = f"slipway/deploy/{ENVIRONMENT}"
SECONDS = 60
"""Far more than a rollback takes, and far less than a build with a slow machine's noise."""


def post(town: Town, verb: str, **body: Any) -> dict[str, Any]:
    """POST to the environment; the answer, which is a good one."""
    url = f"{town.slipway.url}/api/v1/environments/{ENVIRONMENT}/{verb}"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = requests.post(url, json=body, headers=headers, timeout=30)
    assert answer.ok, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def harbour(town: Town) -> Iterator[Town]:
    """The town; afterwards nobody's environment is locked."""
    yield town
    town.gate.release()
    url = f"{town.slipway.url}/api/v1/environments/{ENVIRONMENT}/unlock"
    requests.post(url, json={}, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)


def ended(town: Town, run_id: str) -> dict[str, Any]:
    """A run, once it has ended."""

    def over() -> dict[str, Any] | None:
        run = town.slipway.run(run_id)
        return run if run["state"] in ENDED else None

    found: dict[str, Any] = until(over, SECONDS, lambda: town.slipway.log(run_id))
    return found


def pushed(place: Place, *codes: str) -> list[str]:
    """Commits that went live one after the other."""
    commits = []
    for code in codes:
        commits.append(place.push(place.files(code), branch=BRANCH))
        assert place.ended(commits[-1])["state"] == "succeeded", place.story(commits[-1])
    return commits


def test_back_and_forth(harbour: Town):
    """Back in seconds without a build; a push is built and held; unlocked, it goes live."""
    place = harbour.place("harbour")
    first, second = pushed(place, "one", "two")
    before = len(place.told(first, STATUS))
    wanted = {"to": "previous", "repository": place.repository, "reason": "the cart is empty"}
    answer = post(harbour, "rollback", **wanted)
    run = ended(harbour, answer["run_id"])
    assert run["state"] == "succeeded", harbour.slipway.log(run["id"])
    assert [stage["name"] for stage in run["stages"]] == ["deploy", "release"]
    assert place.alias(ENVIRONMENT) == place.versions(first)[0]
    until(lambda: place.told(first, STATUS)[before:][-1:] == ["success"], 10, "no status")
    said = place.latest(first)[STATUS].description
    assert said.startswith(f"rolled back to {first[:7]} by tests: harbour runs TownHarbour")

    third = place.push(place.files("three"), branch=BRANCH)
    until(lambda: place.run(third)["held"], 90, lambda: place.story(third))
    assert place.versions(third), "it is published already"
    assert place.alias(ENVIRONMENT) == place.versions(first)[0]
    until(lambda: "Held" in place.latest(third)[STATUS].description, 10, "no status")
    assert place.latest(third)[STATUS].state == "pending"
    harbour.github.redeliver(harbour.github.deliveries[-1].id)
    assert len(place.runs(third)) == 1

    assert [one["commit"] for one in post(harbour, "unlock", reason="mended")["runs"]] == [third]
    assert place.ended(third)["state"] == "succeeded", place.story(third)
    assert place.alias(ENVIRONMENT) == place.versions(third)[0]
    assert place.alias(ENVIRONMENT) not in place.versions(second)


def test_a_worker_dies_between_two_functions(harbour: Town):
    """Killed after the first alias has moved: its successor moves the other, and holds."""
    place = harbour.place("harbour-two")
    other = f"{place.function}Other"
    harbour.aws.create_function(other)
    both = f'[functions.{other}]\nruntime = "python3.11"\nhandler = "index.lambda_handler"\n'
    commits = []
    for code in ("one", "two"):
        files = place.files(code)
        files["slipway.toml"] = f"{files['slipway.toml']}\n{both}"
        commits.append(place.push(files, branch=BRANCH))
        assert place.ended(commits[-1])["state"] == "succeeded", place.story(commits[-1])
    assert f"{other}/{commits[0]}.zip" in harbour.aws.objects(BUCKET)

    hold = harbour.gate.hold("UpdateAlias", other)
    answer = post(harbour, "rollback", to=commits[0][:12])
    until(hold.reached.is_set, 30, lambda: harbour.slipway.log(answer["run_id"]))
    until(lambda: place.alias(ENVIRONMENT) == "1", 30, "the first alias does not move")
    harbour.kill_worker()
    hold.open(cut=True)
    assert harbour.aws.alias(other, ENVIRONMENT)["FunctionVersion"] == "2", "the kill missed it"
    harbour.slipway.start("worker")

    run = ended(harbour, answer["run_id"])
    assert run["state"] == "succeeded", harbour.slipway.log(run["id"])
    assert int(harbour.record(run["id"])["losses"]) == 1
    live = [harbour.aws.alias(name, ENVIRONMENT) for name in (place.function, other)]
    assert [one["FunctionVersion"] for one in live] == ["1", "1"]
    path = f"/api/v1/environments/{ENVIRONMENT}/releases"
    rows = [r for r in harbour.slipway.get(path).json()["releases"] if r["run_id"] == run["id"]]
    assert {row["function"] for row in rows} == {place.function, other}
    assert len(rows) == 2
