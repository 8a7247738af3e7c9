"""The new versions answer, before any alias moves to them."""

from config.pipeline import Smoke
from config.together import together
from workers.attempt.context import Context
from workers.aws.invoke import smoke
from workers.ledger.model.run import Release

TOGETHER = 4


def run(context: Context) -> str:
    """Invoke each version whose function has a `smoke`.

    Raises:
        UserError: one of them failed, answered something else than expected, or nothing in time.
    """
    functions = context.pipeline.functions
    tried = [(r, wanted) for r in context.releases() if (wanted := functions[r.function].smoke)]

    def verify(one: tuple[Release, Smoke]) -> None:
        release, wanted = one
        smoke(
            context.aws,
            release,
            wanted,
            lambda text: context.say(f"verify/{release.function}", text),
            context.lease.check,
        )

    together(verify, tried, TOGETHER)
    return ", ".join(f"{r.function} {r.version} answers" for r, _ in tried) or "nothing to try"
