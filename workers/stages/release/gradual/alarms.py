"""Looks at the operator's CloudWatch alarms before and between the steps of a gradual release."""

from config.units import utc
from workers.attempt.context import Context
from workers.aws import alarms
from workers.aws.alarms import Bake, Subject, Verdict
from workers.ledger.model.errors import OurError, UserError
from workers.ledger.model.rollout import Rollout


def before(context: Context, record: Rollout) -> None:
    """See that every alarm is there and may be read, and that none strikes for another reason.

    Raises:
        OurError: an alarm is missing, or is in ALARM for what is not the new versions' doing.
    """
    verdicts = _judge(context, record)
    struck = [verdict for verdict in verdicts if verdict.own and verdict.state == "ALARM"]
    if struck:
        raise OurError(
            f"the CloudWatch alarm {struck[0].name} is in ALARM already ({struck[0].why}): "
            "nothing has moved; retry the run when it is OK"
        )
    _say(context, [verdict for verdict in verdicts if verdict.own])


def between(context: Context, record: Rollout, *, aloud: bool) -> None:
    """Look at every alarm; `aloud` says in the run's log what they tell.

    Raises:
        UserError: one strikes.
        OurError: one is gone, or may no longer be read.
    """
    verdicts = _judge(context, record)
    for verdict in verdicts:
        if verdict.state == "ALARM":
            raise UserError(
                f"the CloudWatch alarm {verdict.name} struck at {record.percent} % "
                f"({verdict.why or 'its own state'})"
            )
    if aloud:
        _say(context, verdicts)


def _judge(context: Context, record: Rollout) -> list[Verdict]:
    names = context.environment.alarms
    if not names:
        return []
    now = context.shop.ledger.now()
    subjects = [
        Subject(shift.function, record.alias, shift.version)
        for shift in record.shifts
        if shift.gradual
    ]
    since, until = (utc(at) for at in (record.began or now, now))
    return alarms.judge(context.aws, names, subjects, Bake(since, until, record.lasts))


def _say(context: Context, verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        why = f" ({verdict.why})" if verdict.why else ""
        context.say("release", f"alarm {verdict.name}: {verdict.state}{why}")
