"""The whole application: all four examples through three environments, to an approved release."""

import base64
import hashlib
import json
import re
from itertools import chain

import pytest
import requests

from local.redis import EmbeddedRedis
from tests.e2e.town import ENDED, until
from tests.stand_ins import watchlist
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.github import TOKEN, GitHub
from tests.stand_ins.images import ensure_images
from tests.stand_ins.slack import Slack
from tests.stand_ins.slipway import SECRET, Slipway
from tests.stand_ins.slipway import TOKEN as WORD
from tests.stand_ins.smtp import Smtp
from tests.stand_ins.watchlist import BRANCHES, BUCKET, MEMBERS, SITE

pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.timeout(900)]
PATIENCE = 600
APPROVER = "ada"
FUNCTIONS = [(member, name) for member in MEMBERS for name in member.functions]
EVERYWHERE = [(member, environment) for member in MEMBERS for environment in BRANCHES]


class Application:
    """The four repositories on their way: commits and runs by repository and environment."""

    def __init__(self, github, aws, slipway, slack, mail, api):
        self.github = github
        self.aws = aws
        self.slipway = slipway
        self.slack = slack
        self.mail = mail
        self.api = api
        self.commits = {}
        self.runs = {}

    def deploy(self, environment):
        """Bring all four to an environment, to their end or to where they wait for people."""
        for member in MEMBERS:
            first = environment == "sandbox"
            step = (
                watchlist.push(self.github, member)
                if first
                else watchlist.promote(self.github, member, environment)
            )
            self.commits[member, environment] = step
        for member in MEMBERS:
            self.await_state(member, environment, {"waiting", *ENDED})

    def await_state(self, member, environment, states):
        """The run of a repository in an environment, once it is in one of the states."""
        commit = self.commits[member, environment]

        def there():
            found = self.slipway.runs(commit=commit, environment=environment)
            return found and found[0]["state"] in states and self.slipway.run(found[0]["id"])

        run = until(there, PATIENCE, lambda: self.story(commit))
        self.runs[member, environment] = run
        return run

    def approve(self):
        """Say yes to all four, as whoever may, once Slack has shown that they wait."""
        until(lambda: sum("waiting" in text for text in self.slack.texts) == 4, 60, "no question")
        for member in MEMBERS:
            run = self.runs[member, "production"]
            assert run["state"] == "waiting", self.story(run["commit"])
            answer = requests.post(
                f"{self.slipway.url}/api/v1/runs/{run['id']}/approve",
                json={"commit": run["commit"], "sha256": run["approval"]["sha256"]},
                headers={"Authorization": f"Bearer token-of-{APPROVER}"},
                timeout=10,
            )
            assert answer.status_code == 202, answer.text
        for member in MEMBERS:
            self.await_state(member, "production", ENDED)

    def settle(self):
        """Wait until everybody has been told."""

        def told():
            pending = [
                status
                for (member, _), commit in self.commits.items()
                for status in self.github.latest(member.repository, commit).values()
                if status.state == "pending"
            ]
            enough = len(self.slack.messages) >= len(EVERYWHERE) * 2 + len(MEMBERS)
            return not pending and enough and len(self.mail.mails) >= len(MEMBERS)

        until(told, 60, lambda: f"{self.slack.texts}\n{self.slipway.processes['worker'].tail()}")

    def story(self, commit):
        """All that may explain a run."""
        runs = self.slipway.runs(commit=commit)
        logs = [self.slipway.log(run["id"]) for run in runs]
        return "\n".join([str(runs), *logs, self.slipway.processes["worker"].tail()])

    def statuses(self, member, commit):
        """The newest state of each context."""
        latest = self.github.latest(member.repository, commit)
        return {context: status.state for context, status in latest.items()}


@pytest.fixture(scope="module")
def base_images(docker_host, cache):
    """What the examples' Dockerfiles begin with."""
    ensure_images(docker_host, watchlist.IMAGES, cache)
    return docker_host


@pytest.fixture(scope="module")
def application(tmp_path_factory, base_images):
    """The application, deployed everywhere; what was before the approval is in `waited`."""
    folder = tmp_path_factory.mktemp("watchlist")
    aws = AwsStandIn(log=folder / "moto.log")
    redis = EmbeddedRedis(folder / "redis")
    with GitHub(folder / "github") as github, redis, aws, Slack() as slack, Smtp() as mail:
        api = watchlist.make_aws(aws)
        environment = {
            **aws.environment(),
            "DOCKER_HOST": base_images,
            "REDIS_URL": redis.url,
            "GITHUB_API_URL": github.api_url,
            "GITHUB_TOKEN": TOKEN,
            "SLACK_WEBHOOK_URL": slack.url,
            "SLACK_SIGNING_SECRET": "a signing secret of slack",
            "SMTP_URL": mail.url,
            "SLIPWAY_API_TOKENS": f"tests:{WORD},{APPROVER}:token-of-{APPROVER}",
            "SLIPWAY_CAPACITY": "4",
            "SLIPWAY_SWEEP_SECONDS": "1",
        }
        rules = watchlist.operator(api, APPROVER)
        with Slipway(folder / "slipway", rules, environment) as slipway:
            slipway.start()
            for member in MEMBERS:
                watchlist.make_repository(github, member)
                github.add_hook(member.repository, f"{slipway.url}/webhooks/github", SECRET)
            whole = Application(github, aws, slipway, slack, mail, api)
            for name in BRANCHES:
                whole.deploy(name)
            whole.waited = {
                "aliases": [aws.alias(name, "production") for _, name in FUNCTIONS],
                "pages": [key for key in aws.objects(SITE) if key.startswith("production/")],
                "states": [run["state"] for run in whole.runs.values()],
            }
            whole.approve()
            whole.settle()
            yield whole


def test_every_run_succeeds(application):
    """Twelve deploys, the last four on somebody's word; before that production ran nothing."""
    assert application.waited["states"] == ["succeeded"] * 8 + ["waiting"] * 4
    assert application.waited["aliases"] == [None] * len(FUNCTIONS)
    assert not [key for key in application.waited["pages"] if key.endswith(".html")]
    for run in application.runs.values():
        assert run["state"] == "succeeded", application.story(run["commit"])
    for member in MEMBERS:
        (vote,) = application.runs[member, "production"]["approval"]["votes"]
        assert (vote["who"], vote["verdict"]) == (APPROVER, "approve")


@pytest.mark.parametrize(("member", "environment"), EVERYWHERE, ids=str)
def test_github_is_told(application, member, environment):
    """The deploy stands on the commit, and on a merged head as well."""
    commit = application.commits[member, environment]
    deployed = {f"slipway/deploy/{environment}": "success"}
    assert application.statuses(member, commit).items() >= deployed.items()
    for pull in application.github.pull_requests(member.repository):
        if pull.base_branch == BRANCHES[environment]:
            assert pull.merge_commit_sha == commit
            assert application.statuses(member, pull.head_sha).items() >= deployed.items()


@pytest.mark.parametrize("environment", BRANCHES)
@pytest.mark.parametrize(("member", "function"), FUNCTIONS, ids=str)
def test_the_alias_runs_the_package_of_its_commit(application, member, function, environment):
    """Key in S3, hash, version, description and alias all speak of the same bytes."""
    aws, commit = application.aws, application.commits[member, environment]
    package = aws.read(BUCKET, f"{function}/{commit}.zip")
    sha256 = base64.b64encode(hashlib.sha256(package).digest()).decode()
    alias = aws.alias(function, environment)
    versions = {one["Version"]: one for one in aws.versions(function)}
    live = versions[alias["FunctionVersion"]]
    assert live["CodeSha256"] == sha256
    # AWS gives a package that it has published already its first version again.
    known = [application.commits[member, name] for name in BRANCHES]
    assert live["Description"] in known[: list(BRANCHES).index(environment) + 1]
    assert not alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    (release,) = (
        one
        for one in application.runs[member, environment]["releases"]
        if one["function"] == function
    )
    assert release == {
        "function": function,
        "version": alias["FunctionVersion"],
        "alias": environment,
        "sha256": sha256,
    }


def test_all_environments_run_the_same_bytes(application):
    """What production runs is what sandbox ran: nothing was built again on the way."""
    for member, function in FUNCTIONS:
        keys = [f"{function}/{application.commits[member, name]}.zip" for name in BRANCHES]
        assert len({application.aws.read(BUCKET, key) for key in keys}) == 1


@pytest.mark.parametrize("environment", BRANCHES)
def test_the_api_reaches_its_aliases(application, environment):
    """The stage's variable names the alias, and each alias lets the API in, once."""
    client = application.aws.client("apigateway")
    stage = client.get_stage(restApiId=application.api, stageName=environment)
    assert stage["variables"] == {"environment": environment}
    assert stage["deploymentId"]
    (store,) = (member for member in MEMBERS if member.name == watchlist.STORE)
    for function in store.functions:
        text = application.aws.client("lambda").get_policy(
            FunctionName=function, Qualifier=environment
        )["Policy"]
        own = [one for one in json.loads(text)["Statement"] if _named(one, environment)]
        (statement,) = own
        assert statement["Sid"] == f"slipway-{application.api}-{environment}-{environment}"
        assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
        source = statement["Condition"]["ArnLike"]["AWS:SourceArn"]
        assert source.endswith(f":{application.api}/*")


def _named(statement, environment):
    # moto keeps the policies of all aliases together, AWS each its own.
    return statement["Resource"].endswith(f":{environment}")


@pytest.mark.parametrize("environment", BRANCHES)
def test_the_site_lies_under_its_environment(application, environment):
    """The page is the environment's own; its assets are there and may be kept."""
    aws = application.aws
    page = aws.read(SITE, f"{environment}/index.html").decode()
    assert f'data-environment="{environment}"' in page
    head = aws.client("s3").head_object
    assert head(Bucket=SITE, Key=f"{environment}/index.html")["CacheControl"] == "no-cache"
    assets = [key for key in aws.objects(SITE) if key.startswith(f"{environment}/assets/")]
    named = re.findall(r'(?:href|src|data-films)="([^"]+)"', page)
    assert len(named) == 4
    assert {f"{environment}/{name}" for name in named} <= set(assets)
    for key in assets:
        assert "immutable" in head(Bucket=SITE, Key=key)["CacheControl"]
    (site,) = (member for member in MEMBERS if member.has_site)
    commit = application.commits[site, environment]
    assert f"slipway/sites/{environment}/{commit}.json" in aws.objects(SITE)


def test_slack_tells_each_deploy(application):
    """Start and success of all twelve, once each; the waiting ones have buttons for their hash."""
    # A message whose answer was lost is sent again, and says so; its first copy may not have come.
    messages = application.slack.messages
    heads = [one["text"].partition(" - ")[0] for one in messages]
    first = [h for h, one in zip(heads, messages, strict=True) if "sent again" not in str(one)]
    expected = chain.from_iterable(
        [f"{head} started", f"{head} succeeded"]
        + [f"{head} is waiting for approval"] * (environment == "production")
        for member, environment in EVERYWHERE
        for head in [_head(application, member, environment)]
    )
    assert sorted(set(heads)) == sorted(expected)
    assert len(first) == len(set(first))
    buttons = [
        json.loads(element["value"])
        for message in application.slack.messages
        for block in message["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
    ]
    runs = [application.runs[member, "production"] for member in MEMBERS]
    asked = {(run["id"], run["commit"], run["approval"]["sha256"]) for run in runs}
    assert {(one["run"], one["commit"], one["sha256"]) for one in buttons} == asked


def _head(application, member, environment):
    commit = application.commits[member, environment][:7]
    return f"{member.repository}: deploy of {commit} to {environment}"


def test_production_is_mailed_with_its_log(application):
    """One email for each production deploy: subject, versions, link, and the log attached."""
    mails = {mail.message["Subject"]: mail for mail in application.mail.mails}
    assert len(application.mail.mails) == len(MEMBERS)
    for member in MEMBERS:
        run = application.runs[member, "production"]
        mail = mails[f"[Slipway] {_head(application, member, 'production')} succeeded"]
        assert mail.recipients == (watchlist.EMAIL,)
        text = mail.message.get_body(("plain",)).get_content()
        assert run["url"] in text
        for release in run["releases"]:
            assert f"{release['function']}  " in text
            assert release["sha256"] in text
        name, log = mail.attachment()
        assert name == f"{run['id']}.log"
        assert "approved by ada" in text
        assert log.decode().startswith("[")


def test_reports_of_checks_are_kept(application):
    """Coverage pages and JUnit results of what was tested are in the runs."""
    store = application.runs[MEMBERS[2], "sandbox"]
    by_name = {check["name"]: check for check in store["checks"]}
    assert by_name["unit"]["tests"]["passed"] > 0
    assert [report["check"] for report in store["reports"]] == ["coverage"]
