"""Many functions in one repository without a Dockerfile, and what its checks leave."""

import base64
import time

import pytest
import requests
from click.testing import CliRunner

from service.cli import main
from tests.e2e.town import BUCKET, DEPLOY, Town
from tests.stand_ins.slipway import TOKEN

pytestmark = pytest.mark.e2e

CODE = "def lambda_handler(event, context):\n    return {!r}\n"
RUNTIME = 'runtime = "python3.11"\n'
JUNIT = (
    '<testsuite><testcase classname="test_a" name="good"/>'
    '<testcase classname="test_a" name="bad">{}</testcase></testsuite>'
)


def checks(command: str) -> str:
    """The test stage with one check that leaves a page and JUnit's XML."""
    left = 'report = "htmlcov", junit = "out/junit.xml"'
    return f'[test.checks]\nunit = {{ run = "{command}", {left} }}\nlint = "true"\n'


def files(pipeline: str, failure: str = "", **more: str) -> dict[str, str | bytes | None]:
    """The repository; keywords are modules below src."""
    return {
        "slipway.toml": pipeline,
        "requirements.txt": "# none\n",
        "Dockerfile.test": "FROM python:3.11-slim\nWORKDIR /checked\nCOPY . .\n",
        "report.sh": "mkdir -p htmlcov out && echo '<h1>92 %</h1>' > htmlcov/index.html"
        " && cp junit.xml out/junit.xml\n",
        "junit.xml": JUNIT.format(failure),
        **{f"src/{name}.py": CODE.format(text) for name, text in more.items()},
    }


def test_what_has_not_changed_is_not_touched(town: Town, tmp_path, monkeypatch):
    """One upload for equal packages, copies for the others; later only the changed one moves."""
    place = town.place("mono")
    names = ["TownMono", "TownMonoList", "TownMonoViews"]
    for name in names[1:]:
        town.aws.create_function(name)
    pipeline = (
        f"{checks('sh report.sh')}[package]\ninclude = ['src/a.py']\n"
        f"[functions.TownMono]\n{RUNTIME}[functions.TownMonoViews]\n{RUNTIME}"
        f"[functions.TownMonoList]\n{RUNTIME}include = ['src']\n"
    )
    first = place.push(files(pipeline, a="one", b="one"))
    run = place.ended(first)
    assert run["state"] == "succeeded", place.story(first)
    log = place.log(first)
    assert "[build/preset] # Slipway's preset for python3.11" in log
    assert log.count(", a copy of ") == 1
    keys = [f"{name}/{first}.zip" for name in names]
    assert set(keys) <= set(town.aws.objects(BUCKET))
    assert town.aws.files(BUCKET, keys[0]) == town.aws.files(BUCKET, keys[2]) == ["src/a.py"]
    assert town.aws.files(BUCKET, keys[1]) == ["src/a.py", "src/b.py"]

    second = place.push(files(pipeline, a="one", b="two"))
    again = place.ended(second)
    assert again["state"] == "succeeded", place.story(second)
    counts = {name: len(town.aws.versions(name)) for name in names}
    assert counts == {"TownMono": 1, "TownMonoList": 2, "TownMonoViews": 1}
    summary = next(stage["summary"] for stage in again["stages"] if stage["name"] == "deploy")
    assert summary == "TownMono unchanged, TownMonoList version 2, TownMonoViews unchanged"
    assert "[deploy/TownMono] unchanged: sandbox runs this package already" in place.log(second)
    assert {f"{name}/{second}.zip" for name in names} <= set(town.aws.objects(BUCKET))
    versions = {release["function"]: release["version"] for release in again["releases"]}
    assert versions == {"TownMono": "1", "TownMonoList": "2", "TownMonoViews": "1"}

    for name, text in files(pipeline, a="one", b="two").items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(str(text))
    monkeypatch.setenv("DOCKER_HOST", str(town.slipway.environment["DOCKER_HOST"]))
    local = CliRunner().invoke(main, ["build", str(tmp_path), "--network", "none"])
    for release in again["releases"]:
        assert f"sha256 {release['sha256']}" in local.stdout, local.output
        digest = base64.b64decode(release["sha256"]).hex()
        assert f"hex    {digest}" in local.stdout


def test_reports_and_results_stay_with_the_run(town: Town):
    """A page is in S3, listed in the run, and comes back for somebody with a token."""
    place = town.place("reporting")
    pipeline = f"{checks('sh report.sh')}[functions.TownReporting]\n{RUNTIME}"
    commit = place.push(files(pipeline, a="one"))
    run = place.ended(commit)
    assert run["state"] == "succeeded", place.story(commit)
    unit, lint = run["checks"]
    assert (unit["exit_code"], lint["exit_code"], lint["tests"]) == (0, 0, None)
    assert unit["tests"] == {"passed": 2, "failed": 0, "skipped": 0, "failing": []}
    (tested,) = [stage for stage in run["stages"] if stage["name"] == "test"]
    assert tested["summary"] == "2 checks passed; unit: 2 passed"
    (report,) = run["reports"]
    key = f"slipway/runs/{run['id']}/reports/unit/index.html"
    assert town.aws.read(BUCKET, key) == b"<h1>92 %</h1>\n"
    assert report["archive"] == f"s3://{BUCKET}/slipway/runs/{run['id']}/reports/unit/"
    assert requests.get(report["url"], timeout=10).status_code == 401
    headers = {"Authorization": f"Bearer {TOKEN}"}
    deadline = time.monotonic() + 20
    while (page := requests.get(report["url"], headers=headers, timeout=10)).status_code == 503:
        assert time.monotonic() < deadline
    assert (page.status_code, page.text) == (200, "<h1>92 %</h1>\n")
    assert page.headers["Content-Security-Policy"].startswith("sandbox")


def test_failed_tests_are_named(town: Town):
    """The failing names are in the run and its status; a report that is a link is refused."""
    place = town.place("failing")
    command = "sh report.sh; rm -r htmlcov; ln -s /etc htmlcov; exit 1"
    pipeline = f"{checks(command)}[functions.TownFailing]\n{RUNTIME}"
    commit = place.push(files(pipeline, "<failure/>", a="one"))
    run = place.ended(commit)
    assert run["state"] == "failed"
    why = "unit failed with exit code 1, 1 passed, 1 failed: test_a.bad"
    assert place.latest(commit)[DEPLOY].description == why
    unit = run["checks"][0]
    assert (unit["exit_code"], unit["tests"]["failing"]) == (1, ["test_a.bad"])
    assert "report = 'htmlcov' is refused: '/checked/htmlcov' is a link" in unit["note"]
    assert "[test/unit] failed: test_a.bad" in place.log(commit)
    assert run["reports"] == []


def test_malformed_results_fail_nothing(town: Town):
    """A check that passed passes, whatever it wrote; what could not be read is in the summary."""
    place = town.place("malformed")
    pipeline = f"{checks('sh report.sh')}[functions.TownMalformed]\n{RUNTIME}"
    broken = files(pipeline, a="one") | {"junit.xml": "<testsuite>"}
    commit = place.push(broken)
    run = place.ended(commit)
    assert run["state"] == "succeeded", place.story(commit)
    summary = next(stage["summary"] for stage in run["stages"] if stage["name"] == "test")
    assert summary.startswith("2 checks passed; unit: junit = 'out/junit.xml' is not read: no elem")
    assert len(run["reports"]) == 1
