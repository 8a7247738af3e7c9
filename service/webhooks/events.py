"""GitHub's payloads become orders here; nothing further in reads a key of theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from config.masker import cut
from config.server import Operator
from service.webhooks import payloads
from service.webhooks.payloads import SideRepository, User
from workers.ledger.model.order import Order, PullRequest

BOT = "Bot"
CHECKED = frozenset({"opened", "synchronize", "reopened"})
MOST_REPEATED = 100
MOST_REASON = 300


class UnreadableError(ValueError):
    """The delivery is not what its event promises; the text says where."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A delivery that asks for nothing, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Deleted(Ignored):
    """A branch that deploys is gone, which asks for nothing, and which its runs must know."""

    repository: str
    repository_id: int
    branch: str
    before: str


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
    return cut(f"{where}: {problem['msg']}" if where else problem["msg"], MOST_REASON)


def _push(body: bytes, operator: Operator) -> Order | Ignored:
    push = payloads.Push.model_validate_json(body)
    if not push.ref.startswith("refs/heads/"):
        return Ignored(f"{cut(push.ref, MOST_REPEATED)} is not a branch")
    branch, repository = push.ref.removeprefix("refs/heads/"), push.repository
    if not (push.deleted or not push.after.strip("0")):
        return _deploy(push, operator, branch, push.after)
    why = f"{cut(push.ref, MOST_REPEATED)} was deleted"
    name = repository["full_name"]
    if operator.environment_for(branch) is None or operator.repository(name) is None:
        return Ignored(why)
    return Deleted(why, name, repository["id"], branch, push.before or "")


def _pull_request(body: bytes, operator: Operator) -> Order | Ignored:
    event = payloads.PullRequestEvent.model_validate_json(body)
    pull, head, base = event.pull_request, event.pull_request["head"], event.pull_request["base"]
    environment = operator.environment_for(base["ref"])
    asked = PullRequest(
        number=event.number,
        head=head["sha"],
        base=base["ref"],
        environment=environment.name if environment else None,
    )
    commit, closed = pull.get("merge_commit_sha"), event.action == "closed"
    if closed and pull.get("merged") and commit and environment:
        return _deploy(event, operator, base["ref"], commit, asked)
    if closed:
        asked = asked.model_copy(update={"closed": True})
    elif not _changes_code(event):
        return Ignored(f"pull_request action {event.action[:40]!r} changes no code")
    if _is_from_a_fork(head["repo"], base["repo"]):
        return Ignored(
            f"pull request {event.number} comes from a fork: its code is not run here, "
            "because it could read what other builds leave behind"
        )
    return _order(
        event,
        operator,
        ref=f"refs/heads/{head['ref']}",
        commit=head["sha"],
        purpose="check",
        pull_request=asked,
    )


def _changes_code(event: payloads.PullRequestEvent) -> bool:
    """Whether there is something new to check: another head, or another base."""
    moved = isinstance(event.changes, dict) and "base" in event.changes
    return event.action in CHECKED or (event.action == "edited" and moved)


def _is_from_a_fork(head: SideRepository | None, base: SideRepository | None) -> bool:
    # By id, never by name: a fork may bear any name, and a deleted one has no repository at all.
    return head is None or base is None or head["id"] != base["id"]


def _deploy(
    event: payloads.Event,
    operator: Operator,
    branch: str,
    commit: str,
    pull_request: PullRequest | None = None,
) -> Order | Ignored:
    environment = operator.environment_for(branch)
    if environment is None:
        return Ignored(f"branch {cut(branch, MOST_REPEATED)} belongs to no environment")
    return _order(
        event,
        operator,
        ref=f"refs/heads/{branch}",
        commit=commit,
        purpose="deploy",
        environment=environment.name,
        pull_request=pull_request,
        people=_people(event),
    )


def _people(event: payloads.Event) -> tuple[str, ...]:
    """The logins of those whose change it is, who caused the event first; no bots."""
    found: list[User | None] = [event.sender]
    # A merge queue pushes, and closes, as a bot: whose change it is, the pull request knows.
    if isinstance(event, payloads.PullRequestEvent) and event.pull_request.get("merged"):
        found += [event.pull_request.get("merged_by"), event.pull_request.get("user")]
    logins = (one["login"] for one in found if one and one.get("type") != BOT)
    return tuple(dict.fromkeys(login for login in logins if not login.endswith("[bot]")))


def _order(event: payloads.Event, operator: Operator, **asked: Any) -> Order | Ignored:  # noqa: ANN401
    repository, name = event.repository, event.repository["full_name"]
    if operator.repository(name) is None:
        return Ignored(f"{cut(name, MOST_REPEATED)} is not in the operator's file")
    return Order(
        repository=name,
        repository_id=repository["id"],
        clone_url=repository["clone_url"],
        sender=next(iter(_people(event)), None),
        before=(isinstance(event, payloads.Push) and event.before) or "",
        forced=isinstance(event, payloads.Push) and bool(event.forced),
        **asked,
    )


_READERS: dict[str, Callable[[bytes, Operator], Order | Ignored]] = {
    "push": _push,
    "pull_request": _pull_request,
}
