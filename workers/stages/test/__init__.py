"""Every check in its own container, as many at once as the operator allows."""

from pathlib import Path

from config.pipeline import Check, Test
from config.together import together
from config.units import duration, size
from workers.archive import reports as check_reports
from workers.attempt import allowed
from workers.attempt.context import Context
from workers.attempt.images import check_limits, image
from workers.docker.checks import Fetch, Limits, Outcome, reports, run_check
from workers.docker.disk import full
from workers.ledger.model.errors import OurError, PassingError, UserError
from workers.ledger.model.run import CheckRecord, Report, Tests
from workers.stages.test import junit, reuse

NAMES = 5
"""Failed tests that are named in the run's error; the log names more."""


def run(context: Context) -> str:
    """Build the image of the tests and run the checks in it.

    Raises:
        UserError: naming each check that failed, or that asks for a network it may not have.
        OurError: the engine lacks the network that the operator names.
    """
    test = context.pipeline.test
    if test is None or not test.checks:
        return "no checks"
    if summary := reuse.take(context, test):
        return summary
    networks = {name: allowed.check_network(context, test, name) for name in test.checks}
    with image(context, test.dockerfile, "test") as built:

        def check(name: str) -> tuple[CheckRecord, str | None]:
            return _Visit(context, built, test, name, networks[name]).run()

        at_once = min(len(test.checks), context.shop.settings.checks_at_once)
        ended = together(check, test.checks, at_once)
    records = tuple(record for record, _ in ended)
    context.lease.checks(records)
    failed = [why for _, why in ended if why]
    if failed:
        raise UserError("; ".join(failed))
    reuse.remember(context, test, records)
    count = f"{len(records)} check{'s' * (len(records) != 1)} passed"
    return "; ".join((count, *filter(None, map(_words, records))))


class _Visit:
    """One check: run, and what it left taken along before its container goes."""

    def __init__(self, context: Context, image: str, test: Test, name: str, network: str) -> None:
        self._context = context
        self._image = image
        self._test = test
        self._name = name
        self._network = network
        self._check: Check = test.checks[name]
        self._tests: Tests | None = None
        self._report: Report | None = None
        self._notes: list[str] = []
        self._no_room = False

    def run(self) -> tuple[CheckRecord, str | None]:
        """How it ended, and why it failed, if it did."""
        outcome = self._run()
        if outcome.exit_code and self._no_room and not outcome.out_of_disk:
            raise PassingError(f"the Docker engine's disk is full: {self._name} found no room")
        record = CheckRecord(
            name=self._name,
            exit_code=outcome.exit_code,
            seconds=round(outcome.seconds, 3),
            timed_out=outcome.timed_out,
            tests=self._tests,
            report=self._report,
            note="; ".join(self._notes) or None,
        )
        return record, self._why(outcome)

    def _run(self) -> Outcome:
        return run_check(
            self._context.shop.engine,
            self._image,
            self._check.run,
            name=self._name,
            labels=self._context.labels,
            limits=self._limits,
            network=self._network,
            say=self._say,
            watch=self._context.lease,
            collect=self._collect,
        )

    @property
    def _limits(self) -> Limits:
        """The operator's; its own or its file's time limit is never above that."""
        return check_limits(self._context, self._check.timeout or self._test.timeout)

    def _say(self, text: str) -> None:
        self._no_room = self._no_room or full(text)
        self._context.say(f"test/{self._name}", text)

    def _note(self, text: str) -> None:
        self._notes.append(text)
        self._say(text)

    def _collect(self, fetch: Fetch) -> None:
        """Read what it left; that this fails is noted, and fails nothing else."""
        if self._check.junit:
            try:
                self._tests = self._junit(fetch, self._check.junit)
            except (UserError, OurError, junit.MalformedError) as error:
                self._note(f"junit = {self._check.junit!r} is not read: {error}")
        if self._check.report:
            try:
                left = reports.fetch(fetch, self._check.report, self._spool("report"))
                self._report = self._keep(left)
            except (UserError, OurError) as error:
                self._note(f"report = {self._check.report!r} is refused: {error}")

    def _junit(self, fetch: Fetch, path: str) -> Tests:
        left = reports.fetch(fetch, path, self._spool("junit"))
        files = [name for name in left.files if name.endswith(".xml")] or list(left.files)
        found = junit.summarise(map(left.read, files), self._context.shop.masker.mask)
        self._say(_counts(found))
        for name in found.failing:
            self._say(f"failed: {name}")
        return found

    def _keep(self, left: reports.Left) -> Report:
        kept = check_reports.keep(
            self._context.shop, self._context.run, self._name, left, self._say
        )
        self._say(f"report: {kept.files} files, {size(kept.size)}")
        return kept

    def _spool(self, purpose: str) -> Path:
        folder = self._context.folder / "checks"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self._name}.{purpose}"

    def _why(self, outcome: Outcome) -> str | None:
        if outcome.timed_out:
            return f"{self._name} timed out after {duration(self._limits.seconds)}"
        if outcome.out_of_disk:
            return f"{self._name} wrote more than {size(self._limits.disk)} to disk"
        if outcome.out_of_memory and outcome.exit_code:
            return f"{self._name} ran out of memory"
        if outcome.exit_code == 0:
            return None
        why = f"{self._name} failed with exit code {outcome.exit_code}"
        if self._tests and self._tests.failed:
            named = ", ".join(self._tests.failing[:NAMES])
            more = " …" if self._tests.failed > NAMES else ""
            why = f"{why}, {_counts(self._tests)}: {named}{more}"
        return why


def _counts(tests: Tests) -> str:
    parts = [f"{tests.passed} passed"]
    parts += [f"{tests.failed} failed"] if tests.failed else []
    parts += [f"{tests.skipped} skipped"] if tests.skipped else []
    return ", ".join(parts)


def _words(record: CheckRecord) -> str:
    """What the run's summary says of a check that passed, if there is more to say."""
    parts = ([_counts(record.tests)] if record.tests else []) + (
        [record.note] if record.note else []
    )
    return f"{record.name}: {'; '.join(parts)}" if parts else ""
