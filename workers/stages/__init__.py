"""The table of contents: what happens to an order, in this order.

A stage's work raises a RunError, or returns what it did in a few words.
"""

from collections.abc import Callable

from workers.attempt.context import Context
from workers.ledger.model import stages
from workers.stages import (
    analyze,
    approve,
    build,
    checkout,
    deploy,
    publish,
    release,
    test,
    verify,
)

STAGES: tuple[tuple[str, Callable[[Context], str | None]], ...] = (
    ("checkout", checkout.run),
    ("test", test.run),
    ("analyze", analyze.run),
    ("build", build.run),
    ("publish", publish.run),
    ("deploy", deploy.run),
    ("verify", verify.run),
    ("approve", approve.run),
    ("release", release.run),
)
WORK = {name: run for name, run in STAGES if stages.BY_NAME[name]}
