"""SonarQube with Slipway's own processes: its webhook, and workers that are killed."""

import time
from collections.abc import Iterator

import pytest

from tests.e2e.town import Town, pipeline, settled, until
from tests.stand_ins.sonar import SonarQube, scanner_image
from tests.stand_ins.sonar.image import address
from tests.stand_ins.sonar.server import TOKEN, WEBHOOK_SECRET
from workers.ledger import keys

pytestmark = pytest.mark.e2e

STATUS = "slipway/deploy/sandbox"
WAITING = "Waiting for SonarQube's quality gate"


@pytest.fixture(scope="module")
def sonar(docker_host: str) -> Iterator[SonarQube]:
    """A SonarQube that decides when it is told to."""
    with SonarQube(address(docker_host)) as server:
        server.delay = None
        yield server


@pytest.fixture(scope="module")
def city(
    tmp_path_factory: pytest.TempPathFactory, docker_host: str, python_image: str, sonar: SonarQube
) -> Iterator[Town]:
    """A town with a SonarQube, which knows where Slipway's webhook is."""
    with scanner_image(docker_host) as image:
        variables = {
            "DOCKER_HOST": docker_host,
            "SONAR_HOST_URL": sonar.url,
            "SONAR_TOKEN": TOKEN,
            "SONAR_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "SLIPWAY_SONAR_IMAGE": image,
        }
        with settled(tmp_path_factory.mktemp("city"), variables) as town:
            sonar.webhook = f"{town.slipway.url}/webhooks/sonarqube"
            yield town


def pushed(city: Town, name: str):
    """A place of its own, and a commit of it that asks for the gate."""
    place = city.place(name)
    toml = pipeline(place.function) + '\n[sonar]\nproject = "films"\n'
    return place, place.push(place.files(slipway__toml=toml))


def handed_in(sonar: SonarQube, commit: str):
    """The analyses of a commit."""
    return [one for one in sonar.analyses if one.properties["sonar.scm.revision"] == commit]


def parked(place, commit: str) -> None:
    """Wait until the run waits, and GitHub knows."""

    def waits() -> bool:
        latest = place.latest(commit).get(STATUS)
        return bool(latest and latest.description == WAITING)

    until(waits, 90, lambda: place.story(commit))
    until(lambda: place.run(commit)["state"] == "waiting", 30, lambda: place.story(commit))


def test_the_webhook_wakes_a_run_at_once(city, sonar):
    """The run goes on long before it would have asked again; the token is in nothing it tells."""
    place, commit = pushed(city, "sonar-wakes")
    parked(place, commit)
    run_id = place.run(commit)["id"]
    (analysis,) = handed_in(sonar, commit)
    # As if it had waited long: its next look is an hour away.
    import redis

    with redis.Redis.from_url(city.redis.url) as client:
        until(lambda: client.zscore(keys.DUE, run_id), 10, "it is not parked")
        client.zadd(keys.DUE, {run_id: (time.time() + 3600) * 1000})
    sonar.decide(analysis)
    assert sonar.rung[-1] == 202
    place.assert_deployed(commit)
    assert len(handed_in(sonar, commit)) == 1
    facts = [str(place.facts(commit)), place.story(commit), *place.facts(commit).values()]
    logs = [path.read_text() for path in city.slipway.folder.glob("*.log")]
    assert len(logs) >= 3
    for where in (*facts, *logs):
        assert TOKEN not in where
        assert WEBHOOK_SECRET not in where


def test_a_worker_that_dies_while_it_asks_costs_no_second_analysis(city, sonar):
    """Killed after the sources were handed in: another worker asks for the analysis on record."""
    fault = sonar.fail_next("/api/ce/task", status=None, delay=30)
    place, commit = pushed(city, "sonar-kill-asking")
    until(lambda: fault.struck, 90, lambda: place.story(commit))
    city.kill_worker()
    (analysis,) = handed_in(sonar, commit)
    city.slipway.start("worker")
    until(lambda: int(place.facts(commit).get("losses", 0)), 60, lambda: place.story(commit))
    sonar.decide(analysis)
    place.assert_deployed(commit)
    assert handed_in(sonar, commit) == [analysis]


def test_a_worker_that_dies_while_it_scans_leaves_nothing(city, sonar):
    """Killed with the scanner at work: its container goes, and the sources are scanned again."""
    fault = sonar.fail_next("/api/server/version", status=503, delay=20)
    place, commit = pushed(city, "sonar-kill-scanning")
    until(lambda: fault.struck, 90, lambda: place.story(commit))
    dead = place.containers(commit)
    assert dead, "no scanner was at work"
    city.kill_worker()
    city.slipway.start("worker")
    until(lambda: handed_in(sonar, commit), 90, lambda: place.story(commit))
    parked(place, commit)
    assert not dead & place.containers(commit)
    (analysis,) = handed_in(sonar, commit)
    sonar.decide(analysis)
    place.assert_deployed(commit)
    assert int(place.facts(commit)["losses"]) == 1
    city.assert_clean(place.run(commit)["id"])


def test_a_worker_that_dies_while_the_run_waits_is_not_missed(city, sonar):
    """No worker holds a waiting run: killed and started again, it asks in its own time."""
    place, commit = pushed(city, "sonar-kill-waiting")
    parked(place, commit)
    city.kill_worker()
    (analysis,) = handed_in(sonar, commit)
    webhook, sonar.webhook = sonar.webhook, None
    try:
        sonar.decide(analysis)
    finally:
        sonar.webhook = webhook
    city.slipway.start("worker")
    place.assert_deployed(commit)
    assert handed_in(sonar, commit) == [analysis]
