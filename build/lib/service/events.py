"""GitHub's payloads become orders here; nothing further in reads a key of theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic_core import from_json

from config.server import Operator
from workers.order import Commit, Order, PullRequest

FullName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")]
CHECKED = frozenset({"opened", "synchronize", "reopened"})


class UnreadableError(ValueError):
    """The delivery is not what its event promises; the text says where."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A delivery that asks for nothing, and why."""

    why: str


class _Payload(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class _Object(_Payload):
    """A part of which nothing is read here, but that it is an object."""


class _Repository(_Payload):
    id: int
    full_name: FullName
    clone_url: str


class _Sender(_Payload):
    login: str


class _RepositoryId(_Payload):
    id: int


class _Side(_Payload):
    ref: str
    sha: Commit
    repo: _RepositoryId | None


class _PullRequest(_Payload):
    number: int = 0
    state: str = ""
    title: str = ""
    draft: bool = False
    user: _Object | None = None
    head: _Side
    base: _Side
    merged: bool | None = None
    merge_commit_sha: Commit | None = None


class _Event(_Payload):
    repository: _Repository
    sender: _Sender | None = None


class _Push(_Event):
    ref: str
    before: str = ""
    after: Commit
    created: bool = False
    deleted: bool = False
    forced: bool = False
    base_ref: str | None = None
    compare: str = ""
    commits: tuple[_Object, ...] = ()
    head_commit: _Object | None = None
    pusher: _Object | None = None


class _PullRequestEvent(_Event):
    action: str
    number: int
    pull_request: _PullRequest


def read(event: str, body: bytes, operator: Operator) -> Order | Ignored:
    """What a delivery asks for.

    Raises:
        UnreadableError: the body is no JSON object, or a field in it has the wrong type.
    """
    reader = _READERS.get(event)
    try:
        if reader is not None:
            return reader(body, operator)
        if not isinstance(from_json(body, allow_inf_nan=False), dict):
            raise UnreadableError("expected a JSON object")
    except ValidationError as error:
        raise UnreadableError(_first(error)) from None
    except ValueError as error:
        raise UnreadableError(f"not JSON: {error}") from None
    if event == "ping":
        return Ignored("ping: the webhook reaches Slipway")
    return Ignored(f"event {event[:40]!r}: Slipway acts on push and pull_request")


def _first(error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else problem["msg"]


def _push(body: bytes, operator: Operator) -> Order | Ignored:
    push = _Push.model_validate_json(body)
    if not push.ref.startswith("refs/heads/"):
        return Ignored(f"{push.ref} is not a branch")
    if push.deleted or not push.after.strip("0"):
        return Ignored(f"{push.ref} was deleted")
    return _deploy(push, operator, push.ref.removeprefix("refs/heads/"), push.after)


def _pull_request(body: bytes, operator: Operator) -> Order | Ignored:
    event = _PullRequestEvent.model_validate_json(body)
    pull = event.pull_request
    if event.action == "closed":
        if not pull.merged or pull.merge_commit_sha is None:
            return Ignored(f"pull request {event.number} was closed without a merge")
        merged = PullRequest(number=event.number, head=pull.head.sha)
        return _deploy(event, operator, pull.base.ref, pull.merge_commit_sha, merged)
    if event.action not in CHECKED:
        return Ignored(f"pull_request action {event.action[:40]!r} changes no code")
    # By id, never by name: a fork may bear any name, and a deleted one has no repository at all.
    if pull.head.repo is None or pull.base.repo is None or pull.head.repo.id != pull.base.repo.id:
        return Ignored(
            f"pull request {event.number} comes from a fork: its code is not run here, "
            "because it could read what other builds leave behind"
        )
    return _order(
        event,
        operator,
        ref=f"refs/heads/{pull.head.ref}",
        commit=pull.head.sha,
        purpose="check",
        pull_request=PullRequest(number=event.number, head=pull.head.sha),
    )


def _deploy(
    event: _Event,
    operator: Operator,
    branch: str,
    commit: str,
    pull_request: PullRequest | None = None,
) -> Order | Ignored:
    environment = operator.environment_for(branch)
    if environment is None:
        return Ignored(f"branch {branch} belongs to no environment")
    return _order(
        event,
        operator,
        ref=f"refs/heads/{branch}",
        commit=commit,
        purpose="deploy",
        environment=environment.name,
        pull_request=pull_request,
    )


def _order(event: _Event, operator: Operator, **asked: Any) -> Order | Ignored:  # noqa: ANN401
    repository = event.repository
    if operator.repository(repository.full_name) is None:
        return Ignored(f"{repository.full_name} is not in the operator's file")
    return Order(
        repository=repository.full_name,
        repository_id=repository.id,
        clone_url=repository.clone_url,
        sender=event.sender.login if event.sender else None,
        **asked,
    )


_READERS: dict[str, Callable[[bytes, Operator], Order | Ignored]] = {
    "push": _push,
    "pull_request": _pull_request,
}
