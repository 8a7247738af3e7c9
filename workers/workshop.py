"""What a worker process holds: read once, made at first use, shared by its runs."""

import socket
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from config import server, trust
from config.masker import Masker
from config.server import Operator
from config.server.allowances import Allowed, allowed
from config.settings import Settings, passed_on
from config.settings import work_settings as settings
from workers.aws import session
from workers.aws.session import Aws, aws_of
from workers.docker.engine import ENVIRONMENT, Engine
from workers.github.client import GitHub
from workers.ledger import Ledger
from workers.ledger.budgets import Budgets
from workers.ledger.connection import hasty, patient
from workers.ledger.model.errors import OurError
from workers.ledger.model.run import Run
from workers.ledger.pauses import Pauses
from workers.source.git import NETWORK


@dataclass(frozen=True)
class Workshop:
    """The rooms that runs are worked on in."""

    settings: Settings
    operator: Operator

    @cached_property
    def ledger(self) -> Ledger:
        """The book of record."""
        return Ledger(patient(self.settings.redis_url), self.masker.mask)

    @cached_property
    def masker(self) -> Masker:
        """Hides every secret of the environment in what is written for people."""
        return Masker(self.settings.secrets())

    @cached_property
    def engine(self) -> Engine:
        """The Docker engine."""
        cgroup = self.settings.build_cgroup or ""
        return Engine(passed_on(*ENVIRONMENT), masker=self.masker, build_cgroup=cgroup)

    @cached_property
    def network(self) -> dict[str, str]:
        """The variables of proxies and certificates that git needs."""
        found = passed_on(*NETWORK)
        if self.trusted and (self.settings.ca_bundle or not found.get("GIT_SSL_CAINFO")):
            found["GIT_SSL_CAINFO"] = str(self.trusted)
        return found

    @cached_property
    def trusted(self) -> Path | None:
        """The file of all authorities, where the operator names some; else programs know theirs.

        Raises:
            OurError: it can't be written.
        """
        try:
            return trust.file(self.settings.authorities, self.settings.data_dir)
        except OSError as error:
            raise OurError(
                f"the certificates of {trust.VARIABLE} can't be put into SLIPWAY_DATA_DIR "
                f"({error.strerror}): the operator makes room, or lets the worker write there"
            ) from None

    @cached_property
    def github(self) -> GitHub:
        """GitHub's API, with the credentials that the operator gave, or none."""
        chosen = self.settings
        token = chosen.github_token
        return GitHub(
            chosen.github_api_url,
            token=token.get_secret_value() if token else None,
            app_id=chosen.github_app_id,
            private_key=chosen.private_key(),
            pauses=Pauses(self.ledger.redis),
            authorities=self.trusted,
        )

    @property
    def allowed(self) -> Allowed:
        """What one check and one build may use."""
        return allowed(self.settings, self.operator.builds.limits)

    @property
    def workspaces(self) -> Path:
        """Where each visit to a run has its folder."""
        return self.settings.data_dir / "workspaces"

    @property
    def spools(self) -> Path:
        """Where parts of whole logs are until S3 has them."""
        return self.settings.data_dir / "logs"


@cache
def workshop() -> Workshop:
    """This process's workshop."""
    chosen = settings()
    session.share(Budgets(hasty(chosen.redis_url)))
    return Workshop(chosen, server.load(chosen.config))


def place_of(shop: Workshop, run: Run) -> tuple[Aws, str] | None:
    """Returns AWS and the bucket where what is kept of a run goes; None where none is named."""
    rule = shop.operator.repository(run.order.repository)
    environment = shop.operator.environments.get(run.order.environment or "")
    bucket = (environment and environment.bucket) or (rule and rule.bucket)
    if not bucket:
        return None
    return aws_of(environment), bucket


def owner_of(process: int) -> str:
    """Returns the name under which the worker whose main process this is holds its runs."""
    return f"{socket.gethostname()}/{process}"
