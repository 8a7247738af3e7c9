"""Stages as a worker of this process runs them, on real Redis, git, Docker, and the strict AWS."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.redis import EmbeddedRedis
from tests.aws.strict import StrictAws
from tests.inside import Inside, reaches
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.github import GitHub

REPOSITORY = "octo/greeter"
FUNCTION = "Greeter"
BUCKET, OTHER_BUCKET = "greeter-packages", "greeter-production"
OPERATOR = f"""
[environments.sandbox]
branch = "develop"

[environments.staging]
branch = "preprod"

[environments.production]
branch = "master"
bucket = "{OTHER_BUCKET}"

[[repositories]]
name = "octo/*"
functions = ["Greeter*"]
bucket = "{BUCKET}"
"""
DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /app\nCOPY index.py ./\n"


def files(code: str = "one", test: str = "", build: str = "", **more: str) -> dict[str, Any]:
    """The smallest repository; `test` and `build` are more lines of those tables."""
    toml = f"""
[test]
{test}
[test.checks]
unit = "python -c 'import index'"
[build]
{build}
[functions.{FUNCTION}]
runtime = "python3.11"
handler = "index.lambda_handler"
"""
    code = f"def handler(event, context):\n    return {code!r}\n"
    tree = {"index.py": code, "slipway.toml": toml}
    return tree | {"Dockerfile": DOCKERFILE, "Dockerfile.test": DOCKERFILE} | more


@dataclass
class Yard:
    """A Slipway that can build, one that can't, and the world around both."""

    able: Inside
    unable: Inside
    strict: StrictAws
    cloud: AwsStandIn
    runs: list[str] = field(default_factory=list)

    @property
    def github(self) -> GitHub:
        """Where the repository is."""
        return self.able.github

    def merge(self, branch: str, onto: str = "develop") -> str:
        """Bring a branch to another's tree by a commit of its own, and tell; the run's id."""
        git = self.github.git(REPOSITORY)
        tip = self.github.head(REPOSITORY, onto)
        parents = [one for one in (self.github.head(REPOSITORY, branch), tip) if one]
        commit = git.commit_tree(f"{tip}^{{tree}}", parents, f"Merge {onto} into {branch}")
        self.github.set_branch(REPOSITORY, branch, commit)
        return self.able.told(REPOSITORY, branch)

    def version(self, alias: str) -> dict[str, Any]:
        """The version that an alias runs."""
        found = self.cloud.alias(FUNCTION, alias)
        assert found, alias
        versions = self.cloud.versions(FUNCTION)
        return next(one for one in versions if one["Version"] == found["FunctionVersion"])


@pytest.fixture
def yard(
    tmp_path: Path,
    redis: Any,
    redis_server: EmbeddedRedis,
    aws: AwsStandIn,
    python_image: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Yard]:
    """One function, three environments, and a repository without a commit."""
    with GitHub(tmp_path / "github") as github, StrictAws(aws.url) as strict:
        reaches(monkeypatch, aws, strict)
        github.create_repository(REPOSITORY, default_branch="develop")
        aws.create_function(FUNCTION)
        for bucket in (BUCKET, OTHER_BUCKET):
            aws.create_bucket(bucket)
        able, unable = (
            Inside(tmp_path / name, OPERATOR, redis_server, github, retries=0, build_network="none")
            for name in ("able", "unable")
        )
        _ = able.shop.engine
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nowhere.sock")
            _ = unable.shop.engine
        yield Yard(able, unable, strict, aws)
