"""Environment variables, read once into one frozen object; the only reader of `os.environ`."""

import functools
import os
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import SettingsConfigDict

from config.settings import smtp
from config.settings.door import DoorSettings
from config.settings.limits import LimitSettings
from config.settings.smtp import SmtpServer
from config.settings.values import (
    CaBundle,
    EngineNetwork,
    LongSecret,
    Pem,
    PemFile,
    Queues,
    RedisAddress,
    Secrets,
    SecretsIfAny,
    Sender,
    ServerAddress,
    SmtpAddress,
    WebAddress,
)

PREFIX = "SLIPWAY_"


class SettingsError(Exception):
    """What is wrong with the environment, all of it, a line each."""


def named(name: str, default: Any = ..., **rules: Any) -> Any:  # noqa: ANN401 - as pydantic's Field
    """A field whose variable does not begin with SLIPWAY_."""
    return Field(default, validation_alias=name, **rules)


class Settings(DoorSettings, LimitSettings):
    """Everything that the environment decides; each field's description is its documentation."""

    model_config = SettingsConfigDict(
        frozen=True,
        env_prefix=PREFIX,
        env_ignore_empty=True,
        populate_by_name=True,
        allow_inf_nan=False,
    )

    config: Path = Field(description="the operator's TOML file")
    public_url: ServerAddress = Field(
        "http://127.0.0.1:8000", description="where people and GitHub reach the web process"
    )
    port: int = named("PORT", 8000, ge=1, le=65535, description="the web process's port")
    data_dir: Path = Field(
        Path(".slipway"),
        description="git mirrors, workspaces and spools of long logs; the ledger of `make run`",
    )
    ca_bundle: CaBundle | None = Field(
        None,
        description="a file of more certificate authorities (PEM), trusted by git and in every "
        "call to GitHub, Slack, SonarQube and the mail server",
    )
    queues: Queues = Field(
        ("build", "deploy"), description="what this worker does: `build`, `deploy` or both"
    )
    capacity: int = Field(3, ge=1, description="runs that one worker process advances at once")
    lease_seconds: float = Field(
        30, gt=0.5, description="seconds without a heartbeat after which a run's worker is dead"
    )
    sweep_seconds: float = Field(3, gt=0, description="seconds between two sweeps")
    poll_seconds: float = Field(300, gt=0, description="seconds between two looks at GitHub")
    retries: int = Field(
        6, ge=0, description="tries again after a passing fault; the wait doubles from 2 seconds"
    )
    keep_runs: int = Field(5000, ge=1, description="ended runs kept, at most")
    keep_days: float = Field(90, gt=0, description="days that an ended run is kept, at most")
    log_bytes: int = Field(
        2_000_000, ge=10_000, description="bytes of a run's log kept while it lives"
    )
    whole_log_bytes: int = Field(
        1_000_000_000,
        ge=0,
        le=4_000_000_000,
        description="bytes of a run's whole log kept in S3 when it is longer than that",
    )
    check_network: EngineNetwork = Field(
        "bridge",
        description="the engine's network of checks with `network = true`; `none` refuses them",
    )
    build_network: Literal["default", "host", "none"] = Field(
        "default", description="network of image builds: `default`, `host` or `none`"
    )
    reuse_days: float = Field(
        30, ge=0, description="days for which a git tree's packages and test verdict serve again"
    )
    sonar_image: str = Field(
        "sonarsource/sonar-scanner-cli:11", description="image of SonarQube's scanner"
    )
    sonar_branches: bool = Field(
        default=False,
        description="tell SonarQube branches and pull requests, which its Community Build refuses",
    )
    redis_url: RedisAddress = named(
        "REDIS_URL", "redis://127.0.0.1:6379/0", description="the ledger and the queue"
    )
    github_webhook_secrets: Secrets = named(
        "GITHUB_WEBHOOK_SECRET",
        description="the webhook's secret; several, separated by commas, while rotating",
    )
    github_api_url: ServerAddress = named(
        "GITHUB_API_URL", "https://api.github.com", description="GitHub's REST API"
    )
    github_token: SecretStr | None = named(
        "GITHUB_TOKEN", None, description="a token for statuses, webhooks and fetching"
    )
    github_app_id: str | None = named(
        "GITHUB_APP_ID", None, description="a GitHub App instead of a token"
    )
    github_app_private_key: Pem | None = named(
        "GITHUB_APP_PRIVATE_KEY", None, description="the App's private key, PEM"
    )
    github_app_private_key_file: PemFile | None = named(
        "GITHUB_APP_PRIVATE_KEY_FILE",
        None,
        validate_default=True,
        description="the App's private key, as a file",
    )
    slack_webhook_url: WebAddress | None = named(
        "SLACK_WEBHOOK_URL", None, description="Slack's incoming webhook, told how deploys go"
    )
    slack_signing_secret: LongSecret | None = named(
        "SLACK_SIGNING_SECRET",
        None,
        description="proves that a button was pressed in Slack; without it there are no buttons",
    )
    sonar_host_url: ServerAddress | None = named(
        "SONAR_HOST_URL", None, description="the SonarQube server, as workers and containers see it"
    )
    sonar_token: SecretStr | None = named(
        "SONAR_TOKEN", None, description="a token of SonarQube's that may execute analyses"
    )
    sonar_organization: str | None = named(
        "SONAR_ORGANIZATION", None, description="the organization, on SonarQube Cloud only"
    )
    sonar_webhook_secret: LongSecret | None = named(
        "SONAR_WEBHOOK_SECRET",
        None,
        description="the secret of SonarQube's webhook; without it gates are only asked for",
    )
    smtp_url: SmtpAddress | None = named(
        "SMTP_URL",
        None,
        description="the mail server: `smtp://user:password@host:587?starttls` or `smtps://…`",
    )
    email_from: Sender | None = Field(
        None, description="sender of emails; else `slipway@` and the public URL's host"
    )

    # Of a field, not of all: that one would be silent as long as any other is wrong.
    @field_validator("github_app_private_key_file", mode="after")
    @classmethod
    def _app_has_a_key(cls, file: Path | None, others: ValidationInfo) -> Path | None:
        known = others.data
        key = file or known.get("github_app_private_key", "wrong")
        if bool(known.get("github_app_id")) != bool(key):
            raise ValueError("GITHUB_APP_ID goes with it or with GITHUB_APP_PRIVATE_KEY")
        return file

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for masking it wherever text leaves the process."""
        kept = (
            *self.github_webhook_secrets,
            *self.api_tokens.values(),
            self.github_token,
            self.slack_webhook_url,
            self.slack_signing_secret,
            self.sonar_token,
            self.sonar_webhook_secret,
            self.smtp_url,
            self.secret_key,
        )
        ours = [secret.get_secret_value() for secret in kept if secret]
        foreign = passed_on("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN").values()
        more = (self.private_key(), *_passwords(self.redis_url), *self._hidden_parts())
        return tuple(filter(None, (*ours, *foreign, *more)))

    def _hidden_parts(self) -> tuple[str, ...]:
        """What alone would do of the URLs that are secrets."""
        slack = self.slack_webhook_url.get_secret_value() if self.slack_webhook_url else ""
        mail = self.smtp_url.get_secret_value() if self.smtp_url else ""
        return urlsplit(slack).path.rpartition("/")[2], *_passwords(mail)

    @property
    def authorities(self) -> Path | None:
        """The file of more authorities: ours, else the one that OpenSSL's variable names."""
        known = self.ca_bundle or Path(passed_on("SSL_CERT_FILE").get("SSL_CERT_FILE", ""))
        return known if known.is_file() else None

    @property
    def smtp(self) -> SmtpServer | None:
        """The mail server, if there is one."""
        return smtp.parse(self.smtp_url.get_secret_value()) if self.smtp_url else None

    def private_key(self) -> str | None:
        """The GitHub App's private key, PEM."""
        if self.github_app_private_key_file:
            return self.github_app_private_key_file.read_text()
        key = self.github_app_private_key
        return key.get_secret_value() if key else None

    @property
    def url(self) -> str:
        """The public URL without a slash at its end."""
        return self.public_url.rstrip("/")


class WorkSettings(Settings):
    """Those of a process that hears no deliveries, and so needs no webhook's secret."""

    github_webhook_secrets: SecretsIfAny = named("GITHUB_WEBHOOK_SECRET", ())


def _passwords(url: str) -> tuple[str, ...]:
    """A URL's password as it stands there, and as it is meant."""
    found = urlsplit(url).password
    return (found, unquote(found)) if found else ()


def variable(field: str) -> str:
    """The environment variable of one field of Settings."""
    alias = Settings.model_fields[field].validation_alias
    return str(alias) if alias else f"{PREFIX}{field}".upper()


def load(kind: type[Settings] = Settings) -> Settings:
    """Read the environment, as a kind of process needs it.

    Raises:
        SettingsError: naming every variable that is missing or wrong; never a value.
    """
    try:
        return kind()
    except ValidationError as error:
        raise SettingsError("\n".join(_complaints(error))) from None


def _complaints(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        where = str(problem["loc"][0]) if problem["loc"] else ""
        name = variable(where) if where in Settings.model_fields else where
        said = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "missing":
            said = f"missing; set it to {_meaning(name)}"
        lines.append(f"{name}: {said}" if name else said)
    return lines


def _meaning(name: str) -> str | None:
    fields = Settings.model_fields.items()
    return next((field.description for one, field in fields if variable(one) == name), None)


@functools.cache
def settings(kind: type[Settings] = Settings) -> Settings:
    """The environment of this process, read at the first call."""
    return load(kind)


def work_settings() -> Settings:
    """The same, of a process that hears no deliveries."""
    return settings(WorkSettings)


def passed_on(*names: str) -> dict[str, str]:
    """Those of the named variables that are set, in either case, for a program we start."""
    both = {spelled for name in names for spelled in (name, name.lower())}
    return {name: os.environ[name] for name in both if name in os.environ}
