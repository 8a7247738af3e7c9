"""What an approver should see of a run: what is asked, who has spoken, until when."""

from dataclasses import dataclass

from config.server import Approval
from service.web import Web
from workers.ledger.model.approval import VOTES, Vote, candidate
from workers.ledger.model.run import Run


@dataclass(frozen=True, slots=True)
class Asked:
    """What people are asked about a run; `until` in milliseconds since 1970 while it waits.

    `rule` is None where the operator has taken it away since people spoke.
    """

    rule: Approval | None
    alias: str
    votes: tuple[Vote, ...]
    until: int | None
    commit: str
    sha256: str | None

    @property
    def missing(self) -> int:
        """How many approvals are still needed."""
        approved = sum(vote.verdict == "approve" for vote in self.votes)
        return max(0, self.rule.required - approved) if self.rule else 0

    @property
    def rejected(self) -> bool:
        """Whether somebody said no."""
        return any(vote.verdict == "reject" for vote in self.votes)

    def word_of(self, who: str) -> Vote | None:
        """What somebody has said already; case does not count."""
        return next((vote for vote in self.votes if vote.who.lower() == who.lower()), None)


def asked(web: Web, run: Run) -> Asked | None:
    """What is asked about a run, or None where nobody is asked and nobody was."""
    environment = web.operator.environments.get(run.order.environment or "")
    rule = environment.approval if environment else None
    names = ("votes", "packages", "wakes_at")
    said, packages, until = web.ledger.history.fields(run.id, *names)
    if rule is None and said is None:
        return None
    waits = run.hears
    return Asked(
        rule=rule,
        alias=environment.alias if environment else "",
        votes=VOTES.validate_json(said or "[]"),
        until=int(until) if until and waits else None,
        commit=run.order.commit,
        sha256=candidate(packages or "{}") if packages or waits else None,
    )
