"""The analyze stage, with a SonarQube over HTTP and a scanner in a real container."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.redis import EmbeddedRedis
from service.webhooks.sonarqube import HEADER, sign
from tests.aws.strict import StrictAws
from tests.inside import Inside, reaches
from tests.stages.conftest import BUCKET, DOCKERFILE, FUNCTION, OPERATOR, REPOSITORY
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.github import GitHub
from tests.stand_ins.sonar import Analysis, SonarQube, scanner_image
from tests.stand_ins.sonar.image import address
from tests.stand_ins.sonar.server import FAILED, TOKEN, WEBHOOK_SECRET, payload
from workers.ledger import keys
from workers.ledger.model.order import Order
from workers.ledger.model.run import Run, StageState, State
from workers.report.statuses import statuses

pytestmark = pytest.mark.docker

CODE = "def handler(event, context):\n    return 1\n"
EVIL = "http://evil.example"


def files(sonar: str = 'project = "films"', test: str = "", **more: str) -> dict[str, Any]:
    """A repository with a [sonar] table and, unless asked for, no check."""
    toml = f"""
{test}
[functions.{FUNCTION}]
runtime = "python3.11"
handler = "index.lambda_handler"
[build]
[sonar]
{sonar}
"""
    return {"index.py": CODE, "Dockerfile": DOCKERFILE, "slipway.toml": toml} | more


@dataclass
class Lab:
    """One Slipway, one SonarQube."""

    make: Callable[..., Inside]
    inside: Inside
    sonar: SonarQube

    def push(self, tree: dict[str, Any] | None = None) -> str:
        """Push a commit; its run's id."""
        return self.inside.push(REPOSITORY, "develop", tree or files())

    def waiting(self, tree: dict[str, Any] | None = None) -> tuple[str, Analysis]:
        """A run that has handed its sources in, and waits."""
        self.sonar.delay = None
        run_id = self.push(tree)
        assert self.inside.advance(run_id) == "waiting", self.inside.log(run_id)
        return run_id, self.sonar.analyses[-1]

    def again(self, run_id: str) -> str:
        """Let the time pass that the run waits, and visit it."""
        self.inside.hurry(run_id)
        return self.inside.advance(run_id)

    def state(self, run_id: str) -> StageState:
        """The state of the analyze stage."""
        return next(s.state for s in self.inside.run(run_id).stages if s.name == "analyze")

    def ring(self, body: dict[str, Any], secret: str = WEBHOOK_SECRET) -> tuple[int, Any]:
        """SonarQube's webhook, as it is sent; status and answer."""
        data = json.dumps(body).encode()
        answer = self.inside.web.post(
            "/webhooks/sonarqube", data=data, headers={HEADER: sign(secret, data)}
        )
        return answer.status_code, answer.json


def ended(run: Run, fault: str, said: str) -> None:
    """A run failed in a way, and says something."""
    assert (run.state, run.fault) == (State.FAILED, fault), run.error
    assert said in (run.error or ""), run.error


@pytest.fixture(scope="module")
def image(docker_host: str, python_image: str) -> Iterator[str]:
    """The stand-in for the scanner's image."""
    with scanner_image(docker_host) as name:
        yield name


@pytest.fixture
def lab(
    tmp_path: Path,
    redis: Any,
    redis_server: EmbeddedRedis,
    aws: AwsStandIn,
    docker_host: str,
    image: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Lab]:
    """Slipway with SonarQube, and a repository without a commit."""
    with (
        GitHub(tmp_path / "github") as github,
        StrictAws(aws.url) as strict,
        SonarQube(address(docker_host)) as sonar,
    ):
        reaches(monkeypatch, aws, strict)
        github.create_repository(REPOSITORY, default_branch="develop")
        aws.create_function(FUNCTION)
        aws.create_bucket(BUCKET)

        def make(name: str = "slipway", operator: str = OPERATOR, **changes: Any) -> Inside:
            chosen = {
                "retries": 1,
                "build_network": "none",
                "sonar_host_url": sonar.url,
                "sonar_token": TOKEN,
                "sonar_image": image,
                "sonar_webhook_secret": WEBHOOK_SECRET,
            }
            return Inside(tmp_path / name, operator, redis_server, github, **chosen | changes)

        yield Lab(make, make(), sonar)


def test_a_run_waits_without_a_worker_and_goes_on_when_the_gate_is_passed(lab):
    """The commit is handed in once; the run is parked, nobody is asked, and then it deploys."""
    run_id, analysis = lab.waiting()
    run = lab.inside.run(run_id)
    assert (run.state, run.asks) == (State.WAITING, False)
    assert lab.inside.redis.zcard(keys.LEASES) == 0
    told = {one.context: (one.state, one.description) for one in statuses(run)}
    assert told["slipway/deploy/sandbox"] == ("pending", "Waiting for SonarQube's quality gate")
    commit = run.order.commit
    assert analysis.properties["sonar.projectKey"] == "films"
    assert analysis.properties["sonar.projectVersion"] == commit
    assert analysis.properties["sonar.scm.revision"] == commit
    assert analysis.files["index.py"] == CODE
    assert lab.again(run_id) == "waiting"

    lab.sonar.decide(analysis)
    assert lab.again(run_id) == "succeeded", lab.inside.log(run_id)
    assert lab.inside.stage(run_id, "analyze") == "quality gate passed, 1 condition"
    assert len(lab.sonar.analyses) == 1
    assert TOKEN not in lab.inside.log(run_id)


def test_a_gate_that_fails_fails_the_run(lab):
    """The run and its status name each failed condition; nothing is built."""
    run_id, analysis = lab.waiting()
    lab.sonar.decide(analysis, FAILED)
    lab.again(run_id)
    run = lab.inside.run(run_id)
    ended(run, "user", "coverage on new code is 61.2, wanted at least 80; reliability rating")
    told = {one.context: (one.state, one.description) for one in statuses(run)}
    assert told["slipway/deploy/sandbox"][0] == "failure"
    assert "quality gate failed: coverage on new code is 61.2" in told["slipway/deploy/sandbox"][1]
    states = {stage.name: str(stage.state) for stage in run.stages}
    assert (states["analyze"], states["build"]) == ("failed", "skipped")


def test_a_gate_that_takes_too_long_is_no_fault_of_the_code(lab):
    """After its time the run ends as our fault, and says whose turn it is."""
    run_id, _ = lab.waiting(files('project = "films"\ntimeout = "1s"'))
    time.sleep(1.1)
    lab.again(run_id)
    ended(lab.inside.run(run_id), "ours", "SonarQube has not decided within 1 s: it is still at it")


def test_a_sonarqube_that_is_away_for_a_while_is_waited_for(lab):
    """What was handed in is not handed in again; the run notes the trouble and goes on."""
    run_id, analysis = lab.waiting()
    lab.sonar.stop()
    for _ in range(4):
        assert lab.again(run_id) == "waiting"
    assert "SonarQube is not reachable" in lab.inside.log(run_id)
    lab.sonar.start()
    lab.sonar.decide(analysis)
    assert lab.again(run_id) == "succeeded", lab.inside.log(run_id)
    assert len(lab.sonar.analyses) == 1


def test_a_sonarqube_that_stays_away_is_said_when_the_time_is_over(lab):
    """The run ends as our fault, with what was in the way."""
    run_id, _ = lab.waiting(files('project = "films"\ntimeout = "1s"'))
    lab.sonar.stop()
    time.sleep(1.1)
    lab.again(run_id)
    ended(lab.inside.run(run_id), "ours", "within 1 s: SonarQube is not reachable at")


def test_before_it_is_handed_in_it_is_tried_again(lab):
    """Away at first: the stage is paused and noted; there again, it is scanned; else it ends."""
    lab.sonar.stop()
    run_id = lab.push()
    assert lab.inside.advance(run_id) == "paused"
    assert "not reachable" in lab.inside.log(run_id)
    lab.sonar.start()
    lab.inside.ended(run_id)
    assert lab.inside.run(run_id).state is State.SUCCEEDED, lab.inside.log(run_id)
    assert len(lab.sonar.analyses) == 1

    lab.sonar.stop()
    run_id = lab.push(files(more="2"))
    assert lab.inside.advance(run_id) == "paused"
    assert lab.again(run_id) == "failed"
    ended(lab.inside.run(run_id), "ours", "(tried 2 times)")


def test_a_scanner_that_meets_an_outage_is_started_again(lab):
    """The server answers 503 to the scanner itself: it is tried again, and analysed once."""
    fault = lab.sonar.fail_next("server/version", status=503)
    run_id = lab.push()
    assert lab.inside.advance(run_id) == "paused", lab.inside.log(run_id)
    assert fault.struck == 1
    lab.inside.ended(run_id)
    assert lab.inside.run(run_id).state is State.SUCCEEDED, lab.inside.log(run_id)
    assert len(lab.sonar.analyses) == 1


def test_the_webhook_wakes_the_run_before_its_time(lab):
    """202 with the run's id, and the run can be taken at once; a repeat afterwards is ignored."""
    run_id, analysis = lab.waiting()
    assert lab.inside.advance(run_id) == "early"
    lab.sonar.decide(analysis)
    body = payload(lab.sonar.url, analysis)
    assert lab.ring(body) == (202, {"run_id": run_id})
    assert lab.inside.advance(run_id) == "succeeded", lab.inside.log(run_id)
    assert lab.ring(body) == (200, {"ignored": "the run no longer waits for this task"})


def test_what_the_webhook_says_of_the_gate_is_not_believed(lab):
    """A forged delivery changes nothing, and a genuine one that lies makes the run look itself."""
    run_id, analysis = lab.waiting()
    lie = payload(lab.sonar.url, analysis) | {"status": "SUCCESS", "qualityGate": {"status": "OK"}}
    assert lab.ring(lie, secret="another secret")[0] == 401
    assert lab.inside.advance(run_id) == "early"
    assert lab.ring(lie)[0] == 202
    assert lab.inside.advance(run_id) == "waiting"
    lab.sonar.decide(analysis, FAILED)
    lab.again(run_id)
    ended(lab.inside.run(run_id), "user", "quality gate failed")


def test_approvals_do_not_count_while_it_waits_for_sonarqube(lab):
    """In an environment that asks for approval, a word before the candidate is there is refused."""
    rule = 'branch = "develop"\napproval = { required = 1 }'
    operator = OPERATOR.replace('branch = "develop"', rule, 1)
    lab.inside = lab.make("asked", operator)
    run_id, analysis = lab.waiting()
    assert lab.inside.call(f"/runs/{run_id}/approve")[0] == 409
    lab.sonar.decide(analysis)
    assert lab.again(run_id) == "waiting"
    assert lab.inside.run(run_id).asks
    assert lab.inside.call(f"/runs/{run_id}/approve")[0] == 202
    assert lab.inside.advance(run_id) == "succeeded", lab.inside.log(run_id)


def test_a_repository_does_not_say_where_the_token_goes(lab):
    """Its sonar-project.properties names another server, token and program: none is heeded."""
    with SonarQube(lab.sonar.host) as thief:
        tree = files(
            **{
                "sonar-project.properties": f"sonar.host.url={thief.url}\nsonar.login=mine\n"
                "sonar.nodejs.executable=/slipway/source/steal.sh\nsonar.projectKey=others\n"
                "sonar.projectName=The films \\u00e9\nsonar.exclusions=lib/**\n",
                "steal.sh": "#!/bin/sh\necho stolen $SONAR_TOKEN\n",
            }
        )
        run_id = lab.push(tree)
        lab.inside.ended(run_id)
    assert thief.requests == []
    log = lab.inside.log(run_id)
    assert "stolen" not in log
    assert "not passed on: sonar.host.url, sonar.login, sonar.nodejs.executable" in log
    (analysis,) = lab.sonar.analyses
    told = analysis.properties
    assert (told["sonar.projectKey"], told["sonar.projectName"]) == ("films", "The films é")
    assert told["sonar.exclusions"] == "lib/**"
    assert told["sonar.sca.enabled"] == "false"


def test_a_repository_does_not_get_the_token_filled_in(lab):
    """A value that asks for a variable is refused before anything is scanned."""
    name = "sonar.projectName=${env.SONAR_TOKEN}\n"
    run_id = lab.push(files(**{"sonar-project.properties": name}))
    lab.inside.ended(run_id)
    ended(lab.inside.run(run_id), "user", "sonar.projectName holds ${…}")
    assert lab.sonar.analyses == []


def test_coverage_of_the_tests_is_handed_in(lab):
    """What a check leaves for tools in its report folder is where the scanner looks for it."""
    lines = ("TN:", "SF:index.py", "end_of_record")
    write = "; ".join(f"echo {line} >> coverage/lcov.info" for line in lines)
    command = f"mkdir coverage; echo page > coverage/index.html; {write}"
    test = f"""
[test]
dockerfile = "Dockerfile"
[test.checks]
coverage = {{ run = "{command}", report = "coverage" }}
"""
    properties = "sonar.javascript.lcov.reportPaths=coverage/lcov.info\n"
    run_id = lab.push(files(test=test, **{"sonar-project.properties": properties}))
    lab.inside.ended(run_id)
    assert lab.inside.run(run_id).state is State.SUCCEEDED, lab.inside.log(run_id)
    (analysis,) = lab.sonar.analyses
    sent = analysis.sent["reports"]
    assert sent == {"coverage/lcov.info": "TN:\nSF:index.py\nend_of_record\n"}
    assert "coverage/index.html" not in analysis.files
    assert analysis.properties["sonar.exclusions"] == "coverage/**"


@pytest.mark.parametrize("lacking", ["SONAR_HOST_URL", "SONAR_TOKEN"])
def test_without_a_sonarqube_the_operator_is_asked_for_one(lab, lacking):
    """A file that asks for a gate is not let through without it: our fault, before any work."""
    inside = lab.make("lacking", **{lacking.lower(): None})
    run_id = inside.push(REPOSITORY, "develop", files())
    inside.ended(run_id)
    ended(inside.run(run_id), "ours", f"{lacking} is not set: the operator sets it")


def test_without_a_table_nothing_is_analysed(lab):
    """A repository that does not ask for a gate needs no SonarQube."""
    inside = lab.make("lacking", sonar_host_url=None, sonar_token=None)
    tree = files()
    tree["slipway.toml"] = tree["slipway.toml"].partition("[sonar]")[0]
    run_id = inside.push(REPOSITORY, "develop", tree)
    inside.ended(run_id)
    assert inside.run(run_id).state is State.SUCCEEDED, inside.log(run_id)
    assert inside.stage(run_id, "analyze") == "no [sonar] table"
    assert lab.sonar.requests == []


def test_faults_of_a_scan_have_their_turn(lab):
    """Sources that can't be read are the code's fault; a token that may not is the operator's."""
    run_id = lab.push(files(**{"broken.py": "this can not be parsed\n"}))
    lab.inside.ended(run_id)
    ended(lab.inside.run(run_id), "user", "exit code 3: Unable to parse file: broken.py")

    lab.sonar.projects = {"other"}
    run_id = lab.push(files(**{"broken.py": None}))
    lab.inside.ended(run_id)
    ended(lab.inside.run(run_id), "ours", "not authorized to analyze this project")

    lab.sonar.token = "rotated"
    run_id = lab.push(files(again="1"))
    lab.inside.ended(run_id)
    ended(lab.inside.run(run_id), "ours", "refuses the token")


def test_the_operator_says_which_projects(lab):
    """A repository can't put its analyses into another one's project."""
    rule = f'bucket = "{BUCKET}"\nsonar = ["greeter-*"]'
    inside = lab.make("strict", OPERATOR.replace(f'bucket = "{BUCKET}"', rule))
    run_id = inside.push(REPOSITORY, "develop", files())
    inside.ended(run_id)
    ended(inside.run(run_id), "user", "does not allow octo/greeter to analyse the project films")
    assert lab.sonar.requests == []


def test_branches_are_told_where_the_server_knows_them(lab):
    """Only where the operator says so: a deploy's branch, and a check's pull request."""
    lab.inside = lab.make("branches", sonar_branches=True, sonar_organization="octo")
    lab.waiting()
    tree = files(feature="1")
    head = lab.inside.github.commit(REPOSITORY, "feature", tree)
    repository = lab.inside.github.push_payload(REPOSITORY, "develop")["repository"]
    side = {"repo": {"id": repository["id"]}}
    pull = {
        "head": {"ref": "feature", "sha": head, **side},
        "base": {"ref": "develop", "sha": "c" * 40, **side},
        "merged": False,
        "merge_commit_sha": None,
    }
    event = {"action": "opened", "number": 7, "pull_request": pull, "repository": repository}
    run_id = str(lab.inside.deliver("pull_request", event)["run_id"])
    assert lab.inside.advance(run_id) == "waiting", lab.inside.log(run_id)
    stages = [stage.name for stage in lab.inside.run(run_id).stages]
    assert stages == ["checkout", "test", "analyze", "build"]
    deploy, check = (one.properties for one in lab.sonar.analyses)
    assert deploy["sonar.organization"] == "octo"
    assert deploy["sonar.branch.name"] == "develop"
    assert "sonar.pullrequest.key" not in deploy
    assert check["sonar.pullrequest.key"] == "7"
    assert check["sonar.pullrequest.branch"] == "feature"
    assert "sonar.branch.name" not in check


def test_a_run_from_before_this_stage_goes_on_without_it(lab):
    """A run that an older Slipway accepted has no such stage: it is shown, and it deploys."""
    tree = files()
    tree["slipway.toml"] = tree["slipway.toml"].partition("[sonar]")[0]
    first = lab.push(tree)
    order: Order = lab.inside.run(first).order
    lab.inside.ended(first)
    stages = ("checkout", "test", "build", "publish", "deploy", "verify", "approve", "release")
    old = lab.inside.shop.ledger.accept(order, "", stages, "build", instead_of=first).run_id
    assert old != first
    assert lab.inside.ended(old).state is State.SUCCEEDED, lab.inside.log(old)
    bearer = {"Authorization": "Bearer alices-own-token"}
    shown = lab.inside.web.get(f"/api/v1/runs/{old}", headers=bearer)
    assert [stage["name"] for stage in shown.json["stages"]] == list(stages)
