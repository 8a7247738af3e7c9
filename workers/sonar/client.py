"""SonarQube's web API, as far as an analysis needs it; foreign faults end here."""

from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar

import requests
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config import trust
from config.masker import cut
from workers.ledger.model.errors import OurError, PassingError

TIMEOUT = (5, 20)
REDIRECTS = range(300, 400)
PASSING = frozenset({408, 429, *range(500, 600)})
TOKEN_TURN = "the operator sets SONAR_TOKEN to one that may execute analyses"  # noqa: S105 - words


Answer = TypeVar("Answer", bound=BaseModel)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Task(_Answer):
    """An analysis report on the server: how far it is, and the id of the analysis when it is one.

    Source: `api/ce/task` in https://next.sonarqube.com/sonarqube/web_api/api/ce
    """

    status: str
    analysis: str | None = Field(None, alias="analysisId")
    error: str | None = Field(None, alias="errorMessage")

    @property
    def open(self) -> bool:
        """Whether the server has yet to deal with it."""
        return self.status in ("PENDING", "IN_PROGRESS")


class Condition(_Answer):
    """One condition of a gate, with the value that the analysis has."""

    status: str
    metric: str = Field(alias="metricKey")
    comparator: str = ""
    threshold: str = Field("", alias="errorThreshold")
    actual: str = Field("", alias="actualValue")


class Gate(_Answer):
    """What the quality gate says of one analysis: OK, ERROR, WARN before 7.6, or NONE.

    Source: `api/qualitygates/project_status`,
    https://next.sonarqube.com/sonarqube/web_api/api/qualitygates
    """

    status: Literal["OK", "WARN", "ERROR", "NONE"]
    conditions: tuple[Condition, ...] = ()


class _TaskAnswer(BaseModel):
    task: Task


class _GateAnswer(BaseModel):
    gate: Gate = Field(alias="projectStatus")


class _Valid(BaseModel):
    valid: bool


class Sonar:
    """One server and the token for it."""

    def __init__(self, url: str, token: str, authorities: Path | None = None) -> None:
        self.url = url.rstrip("/")
        self._authorities = authorities
        self.token = token

    def authenticate(self) -> None:
        """See that the server is there and takes the token.

        Raises:
            PassingError: it is out of reach.
            OurError: it is no SonarQube, or refuses the token.
        """
        if not self._get(_Valid, "api/authentication/validate").valid:
            self._refused()

    def task(self, task_id: str) -> Task:
        """How far the server is with a report that the scanner has handed in.

        Raises:
            PassingError: it is out of reach.
            OurError: it refuses, or knows no such task.
        """
        return self._get(_TaskAnswer, "api/ce/task", id=task_id).task

    def gate(self, analysis_id: str) -> Gate:
        """What the gate says of one analysis, whatever was analysed since.

        Raises:
            PassingError: it is out of reach.
            OurError: it refuses, or knows no such analysis.
        """
        answer = self._get(_GateAnswer, "api/qualitygates/project_status", analysisId=analysis_id)
        return answer.gate

    def _get(self, kind: type[Answer], path: str, **parameters: str) -> Answer:
        response = self._answer(path, parameters)
        if not response.ok or response.status_code in REDIRECTS:
            self._fault(path, response)
        try:
            return kind.model_validate_json(response.content)
        except ValidationError:
            raise OurError(
                f"what answers at {self.url} is no SonarQube that Slipway understands ({path}): "
                "the operator looks at SONAR_HOST_URL"
            ) from None

    def _answer(self, path: str, parameters: dict[str, Any]) -> requests.Response:
        try:
            with trust.session(self._authorities) as session:
                return session.get(
                    f"{self.url}/{path}",
                    params=parameters,
                    headers={"Authorization": f"Bearer {self.token}"},
                    timeout=TIMEOUT,
                    # A redirect would take the token to wherever it leads.
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            if why := trust.distrust(error):
                raise OurError(
                    f"the certificate of SonarQube at {self.url} isn't trusted here ({why}): "
                    f"{trust.TURN}"
                ) from None
            raise PassingError(
                f"SonarQube is not reachable at {self.url} ({type(error).__name__})"
            ) from None

    def _fault(self, path: str, response: requests.Response) -> NoReturn:
        status = response.status_code
        if status in PASSING:
            raise PassingError(f"SonarQube at {self.url} answers {status} to {path}")
        if status in (401, 403):
            self._refused()
        if status in REDIRECTS:
            raise OurError(
                f"SonarQube at {self.url} sends elsewhere: the operator sets SONAR_HOST_URL to "
                "where it really is"
            )
        raise OurError(f"SonarQube at {self.url} answers {status} to {path}: {_said(response)}")

    def _refused(self) -> NoReturn:
        raise OurError(f"SonarQube at {self.url} refuses the token: {TOKEN_TURN}")


def _said(response: requests.Response) -> str:
    """The server's own words, if they are any: `{"errors": [{"msg": …}]}`."""
    try:
        return cut("; ".join(str(one["msg"]) for one in response.json()["errors"]), 300)
    except (ValueError, KeyError, TypeError):
        return "it does not say why"
