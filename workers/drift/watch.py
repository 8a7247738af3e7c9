"""Looks at environments for whoever asked and at every poll, tells what drifts, and mends it."""

from collections.abc import Mapping
from time import monotonic, sleep

import structlog

from config.server import Environment
from workers.drift.compare import carried, news
from workers.drift.heads import Branch
from workers.drift.observe import Look
from workers.drift.repair import repair
from workers.ledger.model.errors import RunError
from workers.ledger.model.observation import Observation
from workers.ledger.observations import Observations
from workers.ledger.upkeep import Upkeep
from workers.report import slack
from workers.workshop import Workshop

log = structlog.get_logger()

ALONE_SECONDS = 300.0
TURN_SECONDS = 30.0
PAUSE_SECONDS = 0.1
"""Between two functions of a poll: releases come first, and share AWS's quota with it."""

DAY_SECONDS = 86400.0
MOST_UNTOLD = 20


def watch(
    shop: Workshop,
    known: Mapping[Branch, str | None] | None = None,
    *,
    pause: float = PAUSE_SECONDS,
) -> None:
    """Look at every environment; `known` are heads of branches that were asked for just now."""
    for environment in shop.operator.environments.values():
        with shop.ledger.alone(_turn(environment), ALONE_SECONDS) as alone:
            if alone:
                _look(shop, Look(shop, environment, pause, known))


def answer(shop: Workshop, name: str) -> None:
    """Look at one environment because somebody asked, if nobody has since."""
    environment = shop.operator.environments.get(name)
    observations = Observations(shop.ledger.redis)
    deadline = monotonic() + TURN_SECONDS
    while environment and observations.asked(name) is not None and monotonic() < deadline:
        with shop.ledger.alone(_turn(environment), ALONE_SECONDS) as alone:
            if alone and not _look(shop, Look(shop, environment)):
                return
        if not alone:
            sleep(0.1)


def _turn(environment: Environment) -> str:
    return f"look:{environment.name}"


def _look(shop: Workshop, look: Look) -> bool:
    """Whether it could be done."""
    environment = look.environment
    observations = Observations(shop.ledger.redis)
    before = observations.latest(environment.name)
    try:
        found = look.observe()
    except RunError as error:
        log.warning("look_failed", environment=environment.name, error=str(error))
        return False
    known = {seen.function: seen for seen in before.functions} if before else {}
    seen = tuple(carried(one, known.get(one.function)) for one in found.functions)
    found = found.model_copy(update={"functions": seen})
    said = _told(found, before)
    if environment.drift == "repair":
        repairs = repair(look, found, before)
        said += [f"{environment.name}: {text}" for text in repairs.back.values()]
        seen = tuple(map(repairs.applied, seen))
        found = found.model_copy(update={"functions": seen})
    untold = (*(before.untold if before else ()), *said)[-MOST_UNTOLD:]
    found = found.model_copy(update={"untold": _tell(shop, untold)})
    observations.write(found, shop.masker.mask)
    _storage(shop, found)
    return True


def _told(found: Observation, before: Observation | None) -> list[str]:
    """The notices of what begins and what has ended, each once."""
    begun, ended = news(found, before)
    name, said = found.environment, []
    for seen in begun:
        for one in seen.differs:
            log.warning(
                "drift_begins",
                environment=name,
                function=seen.function,
                kind=one.kind,
                why=one.text,
            )
            said.append(f"{name}: {one.text}")
    for seen in ended:
        log.info("drift_ended", environment=name, function=seen.function)
        said.append(f"{name}: {seen.function} is as Slipway left it again")
    return said


def _tell(shop: Workshop, untold: tuple[str, ...]) -> tuple[str, ...]:
    """Tell Slack, where there is one; what could not be told."""
    if not untold or shop.settings.slack_webhook_url is None:
        return ()
    try:
        slack.say(shop, "\n".join(untold))
    except slack.RefusedError as error:
        log.warning("notice_refused", error=str(error))
        return ()
    except RunError as error:
        log.warning("notice_delayed", error=str(error))
        return untold
    return ()


def _storage(shop: Workshop, found: Observation) -> None:
    """Warn of code storage that fills, once a day."""
    storage = found.storage
    name = f"storage:{found.environment}"
    if storage is None or not storage.filling:
        return
    if not Upkeep(shop.ledger.redis).settled(name):
        Upkeep(shop.ledger.redis).settle(name, DAY_SECONDS)
        log.warning(
            "code_storage_fills",
            environment=found.environment,
            region=found.region,
            used=storage.used,
            limit=storage.limit,
        )
