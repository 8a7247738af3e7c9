"""One AWS account and region as a process sees it: pooled clients, made once."""

from __future__ import annotations

import functools
import os
import threading
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
    ReadOnlyCredentials,
)
from botocore.exceptions import NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.loaders import Loader, create_loader
from botocore.utils import get_environ_proxies

from config.settings import passed_on
from workers.aws.budget import Budget, Shared
from workers.aws.faults import translated
from workers.aws.session.identity import UNKNOWN, account_of, account_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client

    from config.server import Environment

ATTEMPTS = 5
CONNECT_SECONDS = 5
READ_SECONDS = 30
LONGEST_INVOCATION_SECONDS = 915.0
"""A bit more than Lambda lets a function run: 900 s ("Lambda quotas", its developer guide)."""

CONNECTIONS = 32
SESSION_NAME = "slipway"


def _config(attempts: int, read_seconds: float = READ_SECONDS) -> Config:
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
        user_agent_extra=SESSION_NAME,
    )


@functools.cache
def _loader(data_path: str | None) -> Loader:
    return create_loader(data_path)


def _core() -> botocore.session.Session:
    # Reading botocore's service models is most of a client's price (130 of 150 ms): read once.
    core = botocore.session.Session()
    core.register_component("data_loader", _loader(core.get_config_variable("data_path")))
    if not core.get_config_variable("region"):
        # All of Amazon's SDKs but this one read it, and Lambda and ECS set it.
        core.set_config_variable("region", passed_on("AWS_REGION").get("AWS_REGION"))
    return core


class _Role(CredentialProvider):
    """A role's credentials, fetched at the first call and renewed before they expire."""

    METHOD = "assume-role"
    CANONICAL_NAME = "slipway-assume-role"

    def __init__(self, fetch: Callable[[], dict[str, str]]) -> None:
        super().__init__()
        self._fetch = fetch

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._fetch, self.METHOD)


class Aws:
    """Clients of one region and role, safe to share between threads.

    What isn't given comes from boto3's own AWS_* variables, the region from AWS_REGION if need be;
    `endpoint_url` takes the place of AWS_ENDPOINT_URL. The credentials of `role_arn` are renewed by
    themselves. botocore tries a call `attempts` times, the first included; an invocation once, for
    `invocation` seconds. Quotas are this object's own without a `shared` budget.
    """

    def __init__(  # noqa: PLR0913 - each has a default that hardly anybody changes
        self,
        region: str | None = None,
        role_arn: str | None = None,
        *,
        endpoint_url: str | None = None,
        attempts: int = ATTEMPTS,
        invocation: float = LONGEST_INVOCATION_SECONDS,
        shared: Shared | None = None,
    ) -> None:
        self.invocation = invocation
        self._region = region
        self._role_arn = role_arn
        self._endpoint_url = endpoint_url
        self._config = _config(attempts)
        self._shared = shared
        self._told = ""
        # Creating clients isn't thread-safe, using them is (boto3's guide, "Multithreading").
        self._lock = threading.RLock()

    @functools.cached_property
    def lambda_(self) -> LambdaClient:
        """The client of Lambda, held to the control plane's quota."""
        with self._lock, translated("connecting to Lambda"):
            client: LambdaClient = self._session.client(
                "lambda", endpoint_url=self._endpoint_url, config=self._config
            )
            budget = Budget(lambda: f"{self.account}/{self.region}", self._shared)
            client.meta.events.register("before-send.lambda", budget.before_send)
            client.meta.events.register("response-received.lambda", budget.response_received)
            return client

    @functools.cached_property
    def invoker(self) -> LambdaClient:
        """The client of Lambda for invocations, which may take long and must not be repeated."""
        with self._lock, translated("connecting to Lambda"):
            client: LambdaClient = self._session.client(
                "lambda", endpoint_url=self._endpoint_url, config=_config(1, self.invocation)
            )
            return client

    @functools.cached_property
    def s3(self) -> S3Client:
        """The client of S3; path-style wherever the endpoint isn't Amazon's own."""
        with self._lock, translated("connecting to S3"):
            client: S3Client = self._session.client(
                "s3", endpoint_url=self._endpoint_url, config=self._config
            )
            return client

    # boto3's stubs of the next two are not among our development dependencies.
    @functools.cached_property
    def apigateway(self) -> Any:  # noqa: ANN401 - see above
        """The client of API Gateway's REST APIs."""
        with self._lock, translated("connecting to API Gateway"):
            return self._client("apigateway")

    @functools.cached_property
    def cloudfront(self) -> Any:  # noqa: ANN401 - see above
        """The client of CloudFront."""
        with self._lock, translated("connecting to CloudFront"):
            return self._client("cloudfront")

    @functools.cached_property
    def cloudwatch(self) -> Any:  # noqa: ANN401 - see above
        """The client of CloudWatch's alarms and metrics."""
        with self._lock, translated("connecting to CloudWatch"):
            return self._client("cloudwatch")

    def _client(self, service: str) -> Any:  # noqa: ANN401 - see above
        make: Any = self._session.client
        return make(service, endpoint_url=self._endpoint_url, config=self._config)

    @functools.cached_property
    def region(self) -> str:
        """The region, for messages; empty when nobody named one."""
        with self._lock, translated("reading the AWS configuration"):
            return self._session.region_name or ""

    @functools.cached_property
    def account(self) -> str:
        """The account's number; "own" where AWS doesn't tell the process whose its keys are."""
        if self._role_arn:
            return self._role_arn.split(":")[4]
        with self._lock, translated("reading the AWS credentials"):
            return account_of(self._session, self._endpoint_url)

    def home(self, function: str) -> str:
        """The account and region that a function is in, as `ACCOUNT/REGION`.

        Where STS can't be asked the function's own ARN tells, asked once: records that a process
        kept under another name than the next one would be lost to it.

        Raises:
            UserError: it must be asked, and doesn't exist.
        """
        account = self.account
        if account == UNKNOWN:
            account = self._told = self._told or account_with(self.lambda_, function)
        return f"{account}/{self.region}"

    @property
    def credentials(self) -> ReadOnlyCredentials:
        """The credentials as they are now, renewed if need be."""
        with self._lock, translated("reading the AWS credentials"):
            found = self._session.get_credentials()
            if found is None:
                raise NoCredentialsError
            return found.get_frozen_credentials()

    @functools.cached_property
    def http(self) -> URLLib3Session:
        """Pooled connections for what speaks to S3 past the client, with boto3's own settings."""
        with self._lock, translated("reading the AWS configuration"):
            return URLLib3Session(
                # Its code takes a path and a pair, its stubs don't know.
                verify=_core().get_config_variable("ca_bundle") or True,
                proxies=get_environ_proxies(self.s3.meta.endpoint_url),
                timeout=(CONNECT_SECONDS, READ_SECONDS),  # type: ignore[arg-type]
                max_pool_connections=CONNECTIONS,
            )

    @functools.cached_property
    def _session(self) -> boto3.session.Session:
        core = _core()
        if self._role_arn:
            role = self._role(self._role_arn)
            core.register_component("credential_provider", CredentialResolver([role]))
        return boto3.session.Session(region_name=self._region, botocore_session=core)

    def _role(self, arn: str) -> _Role:
        base = _core()
        source = base.get_credentials()
        if source is None:
            raise NoCredentialsError
        create = functools.partial(
            base.create_client,
            region_name=self._region,
            endpoint_url=self._endpoint_url,
            config=self._config,
        )
        fetcher = AssumeRoleCredentialFetcher(
            create, source, arn, extra_args={"RoleSessionName": SESSION_NAME}
        )
        return _Role(fetcher.fetch_credentials)


class _Known:
    """The sessions of this process."""

    def __init__(self) -> None:
        self.shared: Shared | None = None
        self.forget()

    def forget(self) -> None:
        """Begin anew, as a forked child must: the sockets and a held lock are its parent's."""
        self._lock = threading.Lock()
        self._sessions: dict[tuple[str | None, str | None], Aws] = {}

    def get(self, region: str | None, role_arn: str | None) -> Aws:
        """The one session of a region and role."""
        with self._lock:
            made = Aws(region, role_arn, shared=self.shared)
            return self._sessions.setdefault((region, role_arn), made)


_known = _Known()
os.register_at_fork(after_in_child=_known.forget)


def aws_for(region: str | None = None, role_arn: str | None = None) -> Aws:
    """This process's session of a region and role: the same object each time."""
    return _known.get(region, role_arn)


def aws_of(environment: Environment | None) -> Aws:
    """The session of an environment's region and role; of none, where it names none."""
    place = environment.aws if environment else None
    return aws_for(place.region, place.role_arn) if place else aws_for()


def share(budget: Shared) -> None:
    """Have the sessions of this process draw on a budget with others; those made before do not."""
    _known.shared = budget
