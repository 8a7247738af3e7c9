"""Every check in its own container, all at once."""

from concurrent.futures import ThreadPoolExecutor

from config.pipeline import Check, Test
from workers.docker.checks import Limits, Outcome, run_check
from workers.errors import UserError
from workers.stages.context import Context
from workers.stages.images import image

TAIL = 5


def run(context: Context) -> str:
    """Build the image of the tests and run the checks in it.

    Raises:
        UserError: naming each check that failed.
    """
    test = context.pipeline.test
    if test is None or not test.checks:
        return "no checks"
    with image(context, test.dockerfile, "test") as built:

        def check(name: str) -> Outcome:
            return _check(context, built, test, name, test.checks[name])

        with ThreadPoolExecutor(len(test.checks)) as pool:
            outcomes = dict(zip(test.checks, pool.map(check, test.checks), strict=True))
    failed = [
        _why(name, outcome, _seconds(context, test, test.checks[name]))
        for name, outcome in outcomes.items()
        if _bad(outcome)
    ]
    if failed:
        raise UserError("; ".join(failed))
    return f"{len(outcomes)} check{'s' * (len(outcomes) != 1)} passed"


def _check(context: Context, image: str, test: Test, name: str, check: Check) -> Outcome:
    settings = context.shop.settings
    network = test.network if check.network is None else check.network
    return run_check(
        context.shop.engine,
        image,
        check.run,
        name=name,
        labels=context.labels,
        limits=Limits(
            memory=settings.check_memory,
            cpus=settings.check_cpus,
            pids=settings.check_pids,
            seconds=_seconds(context, test, check),
        ),
        network=network,
        say=lambda line: context.say(f"test/{name}", line),
        watch=context.lease,
    )


def _seconds(context: Context, test: Test, check: Check) -> float:
    """The time limit of a check: its own or its file's, never above the operator's."""
    most = context.shop.settings.check_seconds
    return min(check.timeout or test.timeout or most, most)


def _bad(outcome: Outcome) -> bool:
    return outcome.exit_code != 0 or outcome.timed_out


def _why(name: str, outcome: Outcome, seconds: float) -> str:
    if outcome.timed_out:
        return f"{name} timed out after {seconds:g} s"
    if outcome.out_of_memory:
        return f"{name} ran out of memory"
    return f"{name} failed with exit code {outcome.exit_code}"
