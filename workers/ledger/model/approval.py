"""Approvals: who may say what about which candidate, and what the words add up to."""

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from config.server import Approval
from workers.ledger.model.order import Order

Verdict = Literal["approve", "reject"]


class Vote(BaseModel):
    """One person's word; the time in milliseconds since 1970, `origin` is where it came from."""

    model_config = ConfigDict(frozen=True)

    who: str
    verdict: Verdict
    at: int
    origin: str = ""
    note: str = ""


VOTES = TypeAdapter(tuple[Vote, ...])


class ForbiddenError(Exception):
    """This person's word does not count here; the text says why."""


def candidate(packages: str) -> str:
    """What an approver approves, in one hash: that of all the run's package hashes."""
    return hashlib.sha256(packages.encode()).hexdigest()


def means(said: str, packages: str) -> bool:
    """Whether a hash is that of what waits: the candidate's, or that of its only package."""
    hashes = list(json.loads(packages).values())
    return said == candidate(packages) or (said in hashes and hashes.count(said) == len(hashes))


def admit(rule: Approval, order: Order, who: str) -> None:
    """Let somebody vote.

    Raises:
        ForbiddenError: not one of the approvers, or one whose change it is where that is not
            allowed; nobody may there, as long as it is not known who pushed.
    """
    if not rule.may_approve(who):
        names = ", ".join(rule.approvers)
        raise ForbiddenError(f"{who} is no approver of {order.environment}; they are: {names}")
    if rule.self_approval:
        return
    if order.sender is None and not order.people:
        raise ForbiddenError(
            "no webhook has told who pushed this commit (a bot does not count), and whoever did "
            "may not approve it: have GitHub deliver that push again, or push a new commit"
        )
    if order.sender and order.sender.lower() == who.lower():
        raise ForbiddenError(f"{who} pushed this commit, and somebody else must approve it")
    if who.lower() in {login.lower() for login in order.people}:
        raise ForbiddenError(
            f"{who} wrote or merged the pull request of this commit, and somebody else must "
            "approve it"
        )


APPROVE = "slipway_approve"


REJECT = "slipway_reject"
