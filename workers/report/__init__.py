"""Tells GitHub, Slack and people what has changed about a run; what can't be told now waits."""

import math
from collections.abc import Callable
from typing import NamedTuple

import structlog
from redis.exceptions import RedisError

from config.units import duration
from workers.archive import reports
from workers.archive.log import archive, recall
from workers.github.faults import RefusedError, UnknownCommitError
from workers.github.statuses import post
from workers.ledger import messages
from workers.ledger.checked import Heads
from workers.ledger.keys import RELEASES_KEPT
from workers.ledger.model.errors import PassingError, RunError, StoppedError
from workers.ledger.model.run import Run, State
from workers.report import email, slack
from workers.report.outbox import LOG, QUICK_SECONDS, Outbox, sentence
from workers.report.statuses import Status, statuses, taken_back, worst
from workers.workshop import Workshop

log = structlog.get_logger()

TURNS = 5
PATIENCE_SECONDS = 7 * 86400
"""For how long a channel that takes nothing is told of an ended run; the run is kept meanwhile."""


def report(shop: Workshop, run_id: str, token: str) -> None:
    """Compare what each channel was last told with the run, and tell the difference."""
    outbox = Outbox.open(shop.ledger, run_id, token)
    if outbox is None:
        return
    run = shop.ledger.history.run(run_id)
    try:
        again = _tell(shop, run, outbox) if run else None
    except StoppedError:
        log.warning("report_taken_over")
        return
    if outbox.close(again):
        shop.ledger.ring(messages.REPORT, run_id, messages.REPORTS_ON)


def _tell(shop: Workshop, run: Run, outbox: Outbox) -> float | None:
    """Tell every channel, whatever becomes of the others; seconds until the next must be tried."""
    delays = [_try(shop, run, outbox, channel) for channel in CHANNELS]
    soonest = min((delay for delay in delays if delay is not None), default=math.inf)
    return None if soonest == math.inf else soonest


def _try(shop: Workshop, run: Run, outbox: Outbox, channel: "Channel") -> float | None:
    """Tell one channel; seconds until it must be tried again, infinite or None if it need not."""
    left = outbox.left(channel.name)
    if left is not None:
        return left
    try:
        channel.tell(shop, run, outbox)
    except RunError as error:
        return _later(shop, run, outbox, channel, error)
    except (StoppedError, RedisError):
        raise
    except Exception as error:
        log.exception("channel_broke", channel=channel.name)
        why = PassingError(f"Slipway itself failed ({type(error).__name__})")
        return _later(shop, run, outbox, channel, why)
    outbox.resume(channel.name)
    return None


def _later(shop: Workshop, run: Run, outbox: Outbox, channel: "Channel", error: RunError) -> float:
    delay = outbox.pause(channel.name, error)
    if run.state.final and outbox.failing(channel.name) > PATIENCE_SECONDS:
        outbox.give_up(channel.name)
        log.warning("report_given_up", channel=channel.name, error=str(error))
        return math.inf
    log.warning("report_delayed", channel=channel.name, error=str(error))
    why = shop.masker.mask(sentence(error))
    outbox.explain(channel.name, why)
    if channel.notes(error) and outbox.tries(channel.name) == 1:
        outbox.say(run, channel.name, f"{why}; trying again in {duration(round(delay))}")
    return delay


def _statuses(shop: Workshop, run: Run, outbox: Outbox) -> None:
    """Tell GitHub what is new; checks of one head may speak at once, so it is looked at again."""
    check = run.order.purpose == "check"
    for _ in range(TURNS if check else 1):
        news = _checks(shop, run) if check else _news(shop, outbox, run)
        # What is told late must not overwrite what the run says that has taken this one's place.
        if not news or shop.ledger.history.replaced(run):
            return
        unknown: dict[str, UnknownCommitError] = {}
        for whose, status in news:
            outbox.stay(QUICK_SECONDS)
            try:
                _post(shop, whose, status, outbox)
            except UnknownCommitError as error:
                # The run's other commit can be told of all the same.
                unknown[status.sha] = error
                continue
            outbox.told[_key(status)] = _said(status)
            if check:
                Heads(shop.ledger.redis).tell(run.order, status.context, _said(status))
        for unheard in unknown.values():
            raise unheard


def _news(shop: Workshop, outbox: Outbox, run: Run) -> list[tuple[Run, Status]]:
    told, shown = outbox.told, [*statuses(run), *_taken_back(shop, run)]
    return [(run, one) for one in shown if told.get(_key(one)) != _said(one)]


def _taken_back(shop: Workshop, run: Run) -> list[Status]:
    """Else the head of the branch would say that it is live when it no longer is."""
    if run.order.purpose != "rollback" or run.state is not State.SUCCEEDED:
        return []
    rows = shop.ledger.history.released(run.order.environment or "", 0, RELEASES_KEPT)
    left = {row.rollback.from_ for row in rows if row.rollback and row.run == run.id}
    return [taken_back(run, commit) for commit in left if commit and commit != run.order.commit]


def _checks(shop: Workshop, run: Run) -> list[tuple[Run, Status]]:
    """What is new of a head, of all its checks whose pull requests are open."""
    head = Heads(shop.ledger.redis).checked(run.order)
    others = filter(None, map(shop.ledger.history.run, head.others(run.order)))
    runs = [*((run,) if head.counts(run.order) else ()), *others]
    shown = worst(runs or [run])
    return [(whose, one) for whose, one in shown if head.told.get(one.context) != _said(one)]


def _log(shop: Workshop, run: Run, outbox: Outbox) -> None:
    outbox.stay()
    if run.state.final and LOG not in outbox.told:
        outbox.told[LOG] = archive(shop, run)
    if shop.ledger.history.fields(run.id, "recall") != [None]:
        recall(shop, run)
    if check := shop.ledger.reports.wanted(run.id):
        reports.recall(shop, run, check)


def _key(status: Status) -> str:
    return f"{status.sha}|{status.context}"


def _said(status: Status) -> str:
    return f"{status.state}|{status.description}"


def _post(shop: Workshop, run: Run, status: Status, outbox: Outbox) -> None:
    """Tell GitHub one status; one that it will never take counts as told, and the run says so."""
    if not shop.github.configured:
        return
    try:
        post(
            shop.github,
            run.order.repository,
            status.sha,
            context=status.context,
            state=status.state,
            description=shop.masker.mask(status.description),
            target_url=f"{shop.settings.url}/runs/{run.id}",
        )
    except RefusedError as error:
        log.warning("status_refused", context=status.context, error=str(error))
        outbox.say(run, "github", shop.masker.mask(sentence(error)))


class Channel(NamedTuple):
    """Somebody to be told; `noted`: that they could not be is said in the run's log.

    Where somebody must act, it is said of every channel.
    """

    name: str
    tell: Callable[[Workshop, Run, Outbox], None]
    noted: bool = False

    def notes(self, error: RunError) -> bool:
        """Whether the run's log has a line about it."""
        return self.noted or (self.name == "github" and not isinstance(error, PassingError))


# The log comes last, so that what is noted in it is in its copy in S3.
CHANNELS = (
    Channel("github", _statuses),
    Channel("slack", slack.tell, noted=True),
    Channel("email", email.tell, noted=True),
    Channel("archive", _log),
)
