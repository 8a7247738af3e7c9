"""SonarQube: hand the sources in, and go on when the gate of this very analysis is passed."""

from dataclasses import dataclass

from config.pipeline import Sonar as Asked
from config.units import duration
from workers import sonar
from workers.attempt.context import Context
from workers.ledger import keys
from workers.ledger.model.errors import OurError, PassingError, UserError, WaitError
from workers.ledger.model.notes import Handed, Notes
from workers.sonar.client import Sonar
from workers.sonar.gate import verdict
from workers.stages.analyze import scan

FIRST_SECONDS = 2.0
LONGEST_SECONDS = 15.0
WAITING = "Waiting for SonarQube's quality gate"


def run(context: Context) -> str:
    """Have the sources analysed once, then wait without a worker for what the gate says.

    Raises:
        UserError: the gate is not passed, or the scanner can't analyse the sources.
        OurError: SonarQube is not set up, refuses, or did not decide in time.
        PassingError: SonarQube or Docker is out of reach.
        WaitError: the server is still at it.
    """
    asked = context.pipeline.sonar
    if asked is None:
        return sonar.NOT_ASKED
    server = _server(context)
    handed = context.notes().analysis or _hand_in(context, server, asked)
    return _Wait(context, server, handed, asked.timeout).look()


def judge(context: Context, asked: Asked) -> None:
    """See that the operator allows this analysis, before anything costs time.

    Raises:
        UserError: the project is not one of those that this repository may analyse.
        OurError: the operator has not said where SonarQube is.
    """
    if not context.rule.may_analyse(asked.project):
        raise UserError(
            f"slipway.toml: the operator does not allow {context.order.repository} to analyse "
            f"the project {asked.project}"
        )
    _server(context)


def _server(context: Context) -> Sonar:
    settings = context.shop.settings
    url, token = settings.sonar_host_url, settings.sonar_token
    if url is None or token is None:
        lacking = "SONAR_HOST_URL" if url is None else "SONAR_TOKEN"
        raise OurError(
            f"slipway.toml asks for SonarQube, and {lacking} is not set: the operator sets it "
            "(docs/sonarqube.md), or the [sonar] table goes"
        )
    return Sonar(url, token.get_secret_value(), settings.authorities)


def _hand_in(context: Context, server: Sonar, asked: Asked) -> Handed:
    server.authenticate()
    found = scan.run(context, server, asked)
    now, page = context.shop.ledger.now(), found.get("dashboardUrl", "")
    handed = Handed(task=found["ceTaskId"], at=now, page=page)
    # From here on nobody hands it in again.
    context.lease.awaits(keys.event(handed.task), **Notes(analysis=handed).texts())
    context.say("analyze", f"handed in as task {handed.task}; {handed.page}")
    return handed


@dataclass(frozen=True)
class _Wait:
    """The wait for one analysis, `limit` seconds at most."""

    context: Context
    server: Sonar
    handed: Handed
    limit: float

    def look(self) -> str:
        """Ask for the verdict; wait for it, unless the time is over."""
        try:
            found = verdict(self.server, self.handed.task, self.handed.page)
        except PassingError as error:
            raise self._later(str(error)) from None
        if found is None:
            raise self._later()
        self.context.note(Notes(awaits=None))
        return found

    def _later(self, trouble: str = "") -> Exception:
        waited = (self.context.shop.ledger.now() - self.handed.at) / 1000
        left = self.limit - waited
        if left <= 0:
            why = trouble or "it is still at it"
            return OurError(
                f"SonarQube has not decided within {duration(self.limit)}: {why}. The operator "
                "looks at its background tasks; `timeout` in [sonar] allows more"
            )
        pause = min(max(FIRST_SECONDS, waited / 4), LONGEST_SECONDS, left)
        if trouble:
            self.context.say("analyze", f"{trouble}; asking again in {duration(round(pause))}")
        return WaitError(pause, WAITING)
