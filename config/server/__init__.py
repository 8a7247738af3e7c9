"""The operator's TOML: where things may go, and by which rules."""

import fnmatch
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from config import toml
from config.server import rules
from config.server.builds import Builds
from config.strategy import AT_ONCE, AlarmName, StrategyName
from config.toml import ConfigError
from config.toml.lines import Path as Location
from config.values import Bucket, Distribution, FrozenMap, Matching, Seconds

__all__ = ["Builds", "ConfigError", "Environment", "Operator", "Repository", "load", "parse"]

# The rule for the name of an alias in Lambda's API.
Alias = Annotated[
    str,
    Matching(
        r"(?![0-9]+$)[a-zA-Z0-9_-]{1,128}",
        'at most 128 letters, digits, "-" and "_", and not digits alone',
    ),
]
Branch = Annotated[
    str,
    Matching(
        r"(?!refs/)[^\s~^:?*\[\\\x00-\x1f\x7f]{1,255}",
        'one exact branch name, such as "master": no pattern, no "refs/heads/"',
    ),
]
Login = Annotated[str, Matching(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}", "a GitHub login without the @")]
SlackUser = Annotated[str, Matching(r"[UW][A-Z0-9]{2,30}", 'a member ID such as "U024BE7LH"')]
Email = Annotated[
    str, Matching(r"[^\s@,;<>\x00-\x1f\x7f]+@[^\s@,;<>\x00-\x1f\x7f]+", "an email address")
]
Region = Annotated[
    str, Matching(r"[a-z]{2,5}(-[a-z]+)+-[0-9]{1,2}", 'an AWS region such as "eu-west-3"')
]
RoleArn = Annotated[
    str,
    Matching(
        r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,512}",
        'the ARN of a role, such as "arn:aws:iam::123456789012:role/deploy"',
    ),
]
RepositoryGlob = Annotated[
    str,
    Matching(r"[A-Za-z0-9_.*?-]+/[A-Za-z0-9_.*?-]+", '"owner/name", where "*" and "?" may stand'),
]
FunctionGlob = Annotated[
    str,
    Matching(r"[a-zA-Z0-9_*?-]{1,64}", 'a function\'s name, where "*" and "?" may stand'),
]
SonarGlob = Annotated[
    str,
    Matching(r"[A-Za-z0-9_.:*?-]{1,400}", 'a project\'s key, where "*" and "?" may stand'),
]
Host = Annotated[
    str,
    Matching(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?", "a host, or host:port"),
    AfterValidator(str.lower),
]
RestApi = Annotated[
    str, Matching(r"[a-z0-9]{1,50}", 'the id of a REST API, such as "a1b2c3", not its name')
]


class Approval(toml.Section):
    """Who must agree before the aliases move."""

    required: StrictInt = Field(1, ge=1, description="approvals that are needed")
    timeout: Seconds = Field(
        7200.0, description="how long to wait for them", json_schema_extra={"default": "2h"}
    )
    approvers: tuple[Login, ...] = Field(
        (), description="GitHub logins that may approve; empty: whoever may act"
    )
    self_approval: StrictBool = Field(
        default=True, description="whether who caused the run may approve it"
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        people = len({login.lower() for login in self.approvers})
        if people and self.required > people:
            raise ValueError(
                f"{self.required} approvals are required of {people} approvers, which no run "
                'can reach; lower "required" or name more approvers'
            )
        return self

    def may_approve(self, login: str) -> bool:
        """Whether a GitHub login is among the approvers; case does not count."""
        known = {one.lower() for one in self.approvers}
        return not known or login.lower() in known


class Aws(toml.Section):
    """The account and the place that an environment lives in."""

    region: Region | None = Field(None, description="AWS region; else the one of the process")
    role_arn: RoleArn | None = Field(None, description="role to assume; else the process's own")


def _branches(value: object) -> object:
    if value == []:
        raise ValueError("expected at least one branch, got none; name it")
    return (value,) if isinstance(value, str) else value


class Environment(toml.Section):
    """A branch, an alias and the rules between them."""

    name: SkipJsonSchema[str]
    branch: Annotated[
        tuple[Branch, ...],
        BeforeValidator(
            _branches, json_schema_input_type=Branch | Annotated[list[Branch], Field(min_length=1)]
        ),
    ] = Field(description="the branch or branches whose pushes deploy here")
    alias: Alias = Field(
        default_factory=lambda data: str(data["name"]),
        description="the Lambda alias that moves; the environment's name if left out",
    )
    approval: Approval | None = Field(None, description="people who must agree; none if left out")
    operators: tuple[Login, ...] = Field(
        (), description="who may roll back, lock and unlock it; empty: whoever may act"
    )
    strategy: StrategyName = Field(
        "all-at-once", description="how traffic moves to the new version"
    )
    alarms: tuple[AlarmName, ...] = Field(
        (),
        max_length=100,
        description="CloudWatch alarms that stop a gradual release and put it back",
    )
    email: tuple[Email, ...] = Field((), description="who gets an email with the log attached")
    aws: Aws | None = Field(None, description="another region or account than the process's own")
    bucket: Bucket | None = Field(
        None, description="S3 bucket of packages, and of sites that may be there; goes first"
    )
    distribution: Distribution | None = Field(
        None, description="CloudFront distribution to invalidate when a site is released"
    )
    keep_versions: StrictInt = Field(
        10,
        ge=1,
        le=500,
        description="releases of each function whose versions are kept for a rollback",
    )
    drift: Literal["report", "repair"] = Field(
        "report", description="what to do when an alias was moved by somebody else"
    )

    def may_operate(self, login: str) -> bool:
        """Whether somebody may roll back, lock and unlock it; case does not count."""
        known = {one.lower() for one in self.operators}
        return not known or login.lower() in known

    @model_validator(mode="after")
    def _watched(self) -> Self:
        if self.alarms and self.strategy == AT_ONCE:
            raise ValueError('alarms are watched between steps; add a "strategy" that has some')
        return self


class Repository(toml.Section):
    """What one repository, or all that match a pattern, may touch."""

    name: RepositoryGlob = Field(description='"owner/name", or a pattern')
    functions: tuple[FunctionGlob, ...] = Field(
        (), description="functions that it may touch, as names or patterns; empty: none"
    )
    bucket: Bucket | None = Field(None, description="S3 bucket of packages")
    sites: tuple[Bucket, ...] = Field((), description="S3 buckets of sites that it may write")
    sonar: tuple[SonarGlob, ...] | None = Field(
        None, description="SonarQube projects that it may analyse, as keys or patterns; else any"
    )
    rest_api: RestApi | None = Field(
        None, description="API Gateway whose stages follow the environments"
    )

    def may_touch(self, function: str) -> bool:
        """Whether a function's name matches one of the patterns; case counts."""
        return any(fnmatch.fnmatchcase(function, pattern) for pattern in self.functions)

    def may_analyse(self, project: str) -> bool:
        """Whether a project's key matches one of the patterns, or there are none."""
        return self.sonar is None or any(fnmatch.fnmatchcase(project, one) for one in self.sonar)

    def covers(self, full_name: str) -> bool:
        """Whether a repository matches the name; case does not count, `*` stops at the slash."""
        ours, theirs = self.name.lower().split("/"), full_name.lower().split("/")
        return len(theirs) == len(ours) and all(map(fnmatch.fnmatchcase, theirs, ours))


class Slack(toml.Section):
    """Who somebody is whose button press comes from Slack."""

    users: FrozenMap[SlackUser, Login] = Field(
        {}, description="the GitHub login of each Slack member who may use the buttons"
    )


def _named(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {
        key: {**table, "name": key} if isinstance(table, Mapping) else table
        for key, table in value.items()
    }


class Operator(toml.Document):
    """The whole file."""

    model_config = ConfigDict(title="Slipway: the operator's file")

    git_hosts: tuple[Host, ...] = Field(
        (), description="hosts that may be cloned from, beside GitHub's own"
    )
    environments: Annotated[FrozenMap[Alias, Environment], BeforeValidator(_named)] = Field(
        description="a table for each environment, such as [environments.production]",
        json_schema_extra={"minProperties": 1},
    )
    repositories: tuple[Repository, ...] = Field(
        description="a [[repositories]] table for each repository or pattern",
        json_schema_extra={"minItems": 1},
    )
    slack: Slack = Field(default_factory=Slack, description="who is who in Slack")
    builds: Builds = Field(
        default_factory=Builds,
        description="what builds and checks of all repositories may reach and use",
    )

    @classmethod
    def across(cls, raw: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
        """One branch, one environment; one name, one table; at least one of each."""
        return rules.across(raw)

    def environment_for(self, branch: str) -> Environment | None:
        """The environment that a branch deploys to, if any."""
        found = (one for one in self.environments.values() if branch in one.branch)
        return next(found, None)

    def repository(self, full_name: str) -> Repository | None:
        """A repository's table: by its exact name, else the first pattern that covers it."""
        wanted = full_name.lower()
        exact = (one for one in self.repositories if one.name.lower() == wanted)
        covering = (one for one in self.repositories if one.covers(full_name))
        return next(exact, None) or next(covering, None)


def parse(text: str, file: str = "server.toml") -> Operator:
    """The operator's file from its text.

    Raises:
        ConfigError: with every problem and its line.
    """
    return toml.parse(Operator, text, file)


def load(path: Path) -> Operator:
    """The operator's file from disk.

    Raises:
        ConfigError: it can't be read, or with every problem and its line.
    """
    return parse(toml.read(path), str(path))
