"""The Watchlist as its operator has it: four repositories, their AWS, three environments.

The AWS is what `examples/watchlist/terraform` makes, as far as deploys see it.
"""

import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from config.pipeline import Pipeline, load
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.github import GitHub

FOLDER = Path(__file__).parents[2] / "examples" / "watchlist"
OWNER = "watchlist"
REPOSITORIES = ("movies-loader", "movies-parser", "movies-store", "marketplace")
BRANCHES = {"sandbox": "develop", "staging": "preprod", "production": "master"}
IMAGES = ("golang:1.19-bookworm", "node:18-slim", "python:3.11-slim")
BUCKET = "deployment-packages-watchlist"
SITE = "marketplace.example.com"
EMAIL = "team@example.com"
STORE = "movies-store"
METHODS = (
    ("movies", "GET", "MoviesStoreListMovies"),
    ("movies/{id}", "GET", "MoviesStoreSearchMovie"),
    ("favorites", "GET", "MoviesStoreViewFavorites"),
    ("favorites", "POST", "MoviesStoreAddToFavorites"),
)
OPERATOR = """
[environments.sandbox]
branch = "develop"

[environments.staging]
branch = "preprod"

[environments.production]
branch = "master"
approval = {{ required = 1, timeout = "2h", approvers = ["{approver}"], self_approval = false }}
email = ["{email}"]

[[repositories]]
name = "watchlist/*"
functions = ["Movies*"]
bucket = "{bucket}"
sites = ["{site}"]

[[repositories]]
name = "watchlist/movies-store"
functions = ["MoviesStore*"]
bucket = "{bucket}"
rest_api = "{rest_api}"
"""


def operator(rest_api: str, approver: str) -> str:
    """The operator's file."""
    return OPERATOR.format(
        rest_api=rest_api, approver=approver, email=EMAIL, bucket=BUCKET, site=SITE
    )


def tracked(folder: Path) -> dict[str, bytes]:
    """The files of a folder that git keeps or would keep, by name."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "."],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    names = [name for name in listed.stdout.splitlines() if (folder / name).exists()]
    return {name: (folder / name).read_bytes() for name in names}


@dataclass(frozen=True)
class Member:
    """One of the four repositories."""

    name: str

    def __str__(self) -> str:
        return self.name

    @property
    def repository(self) -> str:
        """Its name on GitHub."""
        return f"{OWNER}/{self.name}"

    @cached_property
    def pipeline(self) -> Pipeline:
        """Its slipway.toml."""
        return load(FOLDER / self.name / "slipway.toml")

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that it deploys."""
        return tuple(self.pipeline.functions)

    @property
    def has_site(self) -> bool:
        """Whether it publishes a site."""
        return self.pipeline.site is not None


MEMBERS = tuple(map(Member, REPOSITORIES))


def make_aws(aws: AwsStandIn) -> str:
    """Buckets, functions and the API; the API's id."""
    for bucket in (BUCKET, SITE):
        aws.create_bucket(bucket)
    arns = {
        name: aws.create_function(name, function.runtime, function.handler)
        for member in MEMBERS
        for name, function in member.pipeline.functions.items()
    }
    return _api(aws.client("apigateway"), arns)


def _api(client: Any, arns: dict[str, str]) -> str:
    """An API whose integrations invoke the alias that the stage variable names."""
    api = str(client.create_rest_api(name=OWNER)["id"])
    (root,) = client.get_resources(restApiId=api)["items"]
    made = {"": root["id"]}
    for path, method, function in METHODS:
        parent = ""
        for part in path.split("/"):
            place = f"{parent}/{part}"
            if place not in made:
                made[place] = client.create_resource(
                    restApiId=api, parentId=made[parent], pathPart=part
                )["id"]
            parent = place
        where = {"restApiId": api, "resourceId": made[parent], "httpMethod": method}
        client.put_method(**where, authorizationType="NONE")
        region = arns[function].split(":")[3]
        target = f"{arns[function]}:${{stageVariables.environment}}/invocations"
        client.put_integration(
            **where,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{target}",
        )
    return api


def make_repository(github: GitHub, member: Member) -> None:
    """The repository with its three branches, which hold nothing to deploy yet."""
    github.create_repository(member.repository, default_branch="master")
    first = github.commit(member.repository, "master", {"LICENSE": "MIT\n"}, "The beginning")
    for branch in BRANCHES.values():
        github.set_branch(member.repository, branch, first)


def push(github: GitHub, member: Member) -> str:
    """Push the example to `develop`; the commit."""
    files = tracked(FOLDER / member.name)
    message = f"{member.name} as it is in the example"
    commit = github.commit(member.repository, BRANCHES["sandbox"], files, message)
    github.push_event(member.repository, BRANCHES["sandbox"])
    return commit


def promote(github: GitHub, member: Member, environment: str) -> str:
    """Merge the branch before into an environment's by a pull request; the merge's commit."""
    order = list(BRANCHES)
    before = BRANCHES[order[order.index(environment) - 1]]
    title = f"{member.name} to {environment}"
    pull = github.open_pull_request(member.repository, before, BRANCHES[environment], title=title)
    commit = github.merge(pull).merge_commit_sha
    assert commit is not None
    return commit
