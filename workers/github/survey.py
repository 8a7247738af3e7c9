"""What GitHub shows of repositories whose runs the ledger may not know."""

from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import github
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from workers.github.client import GitHub
from workers.ledger.model.errors import OurError

PAGE = 100
"""The most that GitHub puts on one page of a list."""
MOST_PAGES = 3
NOT_FOUND = {404, 422}

T = TypeVar("T")


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True)


class Place(_Read):
    """A repository, as far as an order tells of it."""

    id: int
    full_name: str
    clone_url: str


class _Ref(_Read):
    ref: str
    sha: str
    repo: Place | None = None


class Pull(_Read):
    """A pull request, whatever has become of it."""

    number: int
    state: str
    head: _Ref
    base: _Ref
    merged_at: str | None = None
    merge_commit_sha: str | None = None

    @property
    def own(self) -> bool:
        """Whether its code is of the repository itself; by id, a fork may bear any name."""
        head, base = self.head.repo, self.base.repo
        return bool(head and base and head.id == base.id)


class Told(_Read):
    """One context of a commit, as GitHub shows it."""

    context: str
    state: str
    description: Annotated[str, BeforeValidator(lambda text: text or "")] = ""
    target_url: Annotated[str, BeforeValidator(lambda text: text or "")] = ""


class Shown(_Read):
    """A commit, and the latest status in each of its contexts."""

    sha: str
    statuses: tuple[Told, ...]


class _Commit(_Read):
    sha: str


class Survey:
    """Questions to GitHub; `asked` counts them, each is one request.

    All raise OurError (the credentials don't suffice) and PassingError (GitHub is out of reach).
    """

    def __init__(self, hub: GitHub) -> None:
        self._hub = hub
        self.asked = 0

    def repositories(self) -> list[Place]:
        """The repositories that the credentials see, those of the latest pushes at least."""
        path = "/user/repos?sort=pushed&" if self._hub.by_token else "/installation/repositories?"
        action = "listing repositories"
        seen = self._hub.each(action, lambda client: self._pages(client, path))
        return _read(list[Place], [row for rows in seen for row in rows], action)

    def place(self, repository: str) -> Place | None:
        """A repository; None where there is none, or none that the credentials see."""
        return self._one(Place, repository, "")

    def shown(self, repository: str, ref: str) -> Shown | None:
        """What is shown of a commit, or of `heads/BRANCH`; None where there is none."""
        return self._one(Shown, repository, f"/commits/{quote(ref)}/status?per_page={PAGE}")

    def pulls(self, repository: str, count: int) -> list[Pull]:
        """The pull requests that something happened to last, closed ones too."""
        path = f"/pulls?state=all&sort=updated&direction=desc&per_page={count}"
        return self._one(list[Pull], repository, path) or []

    def latest(self, repository: str, branch: str, count: int) -> list[str]:
        """The newest commits of a branch, its head first."""
        path = f"/commits?sha={quote(branch, safe='')}&per_page={count}"
        return [one.sha for one in self._one(list[_Commit], repository, path) or []]

    def _one(self, kind: type[T], repository: str, path: str) -> T | None:
        action = f"looking at {repository}"

        def work(client: github.Github) -> Any:  # noqa: ANN401 - any JSON
            try:
                return self._get(client, f"/repos/{repository}{path}")
            except github.GithubException as error:
                if error.status in NOT_FOUND:
                    return None
                raise

        found = self._hub.call(repository, action, work)
        return None if found is None else _read(kind, found, action)

    def _pages(self, client: github.Github, path: str) -> list[Any]:
        rows: list[Any] = []
        for number in range(1, MOST_PAGES + 1):
            found = self._get(client, f"{path}per_page={PAGE}&page={number}")
            page = found.get("repositories", []) if isinstance(found, dict) else found
            rows += page
            if len(page) < PAGE:
                break
        return rows

    def _get(self, client: github.Github, path: str) -> Any:  # noqa: ANN401 - any JSON
        self.asked += 1
        return client.requester.requestJsonAndCheck("GET", path)[1]


def _read(kind: type[T], found: object, action: str) -> T:
    try:
        return TypeAdapter(kind).validate_python(found)
    except ValidationError:
        raise OurError(
            f"{action} failed: the server at GITHUB_API_URL doesn't answer as GitHub does; "
            "check GITHUB_API_URL"
        ) from None
