"""The number of the ledger's schema, and the step to it from the version that had none (ADR 13).

It goes up when processes of the version before must not write any more. Every script sees first
whether the ledger has the number that this version knows; a connection sees it when it is made.
"""

import json
from collections.abc import Generator
from typing import Any

import structlog

from workers.ledger import keys
from workers.ledger.scripts import SCHEMA, composed, ordered, text_of

log = structlog.get_logger()

NOTICE = (
    f"This ledger was taken over by a newer Slipway (schema {SCHEMA}): its keys begin with "
    f"{keys.PREFIX}. Whoever operates Slipway stops the processes of the version before."
)
CONTAINERS = (
    *("audit", "branches", "due", "heads", "leases", "live", "metrics", "observed", "owners"),
    *("reports", "rollouts", "runs", "tips", "celery:build", "celery:deploy"),
)
"""Names at which the version before expects anything but a text: it finds one."""
TEXTS = ("clock", "fence", "identity")
"""Names at which it expects a text: it finds none."""


def taken_over() -> Generator[tuple[str, ...], Any, str]:
    """Take the ledger over, if nobody has; returns why this version can't use it, or "".

    What it yields are commands, to be answered by their replies.
    """
    found = yield ("GET", keys.SCHEMA)
    if found is None:
        found, count = yield _take_over()
        if count:
            log.warning("ledger_taken_over", keys=count, schema=found)
    if found == SCHEMA:
        return ""
    return (
        f"This ledger is of schema {found}, and this version of Slipway knows schema {SCHEMA}: "
        "a newer version has taken it over. Start that one, or restore what was backed up before."
    )


def _take_over() -> tuple[str, ...]:
    given = {
        "schema": SCHEMA,
        "prefix": keys.PREFIX,
        "former": keys.FORMER_PREFIX,
        "notice": NOTICE,
        "containers": json.dumps(CONTAINERS),
        "texts": json.dumps(TEXTS),
    }
    text = composed(text_of("take_over"))
    return ("EVAL", text, "1", keys.SCHEMA, *map(str, ordered("take_over", given)))
