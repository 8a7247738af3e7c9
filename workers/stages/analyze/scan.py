"""Runs sonar-scanner over the commit: what it is told, what it is given, what its end means."""

from collections.abc import Iterable

from config import limits
from config.masker import cut
from config.pipeline import Sonar as Asked
from config.units import duration, size
from workers.archive import reports
from workers.attempt import allowed
from workers.attempt.context import Context
from workers.attempt.images import check_limits
from workers.docker import registry, scanner
from workers.docker.checks import Outcome
from workers.docker.scanner import Scan, Tree
from workers.ledger.model.errors import OurError, RunError, UserError
from workers.sonar import failure, properties
from workers.sonar.client import Sonar

DATA = (".info", ".xml", ".json", ".lcov", ".out", ".sarif")
"""What tools read of a report; the rest is for people, and would count as sources."""


def run(context: Context, server: Sonar, asked: Asked) -> dict[str, str]:
    """Scan the commit; what the scanner wrote down, with `ceTaskId` in it.

    Raises:
        UserError: sonar-project.properties asks for what it may not, or the sources are no good.
        OurError: the scanner is refused, or ran out of what the operator allows.
        PassingError: SonarQube, Docker or the image's registry is out of reach.
    """
    settings = context.shop.settings
    engine, image = context.shop.engine, settings.sonar_image
    errors: list[str] = []

    def say(text: str) -> None:
        if len(errors) < limits.SCANNER_ERRORS:
            errors.extend(filter(None, map(failure.error_in, text.split("\n"))))
        context.say("analyze", text)

    registry.ensure(engine, image, "SLIPWAY_SONAR_IMAGE", say=say, watch=context.lease)
    given = _reports(context)
    wanted = Scan(
        image=image,
        token=server.token,
        arguments=_arguments(context, server, asked),
        properties=_properties(context, given),
        limits=check_limits(context),
        labels=context.labels,
        spool=context.folder / "scan",
        network=allowed.scan_network(context),
    )
    tree = Tree(
        context.source,
        frozenset({properties.FILE}),
        {f"{path}/{name}": data for path, files in given.items() for name, data in files.items()},
    )
    outcome, found = scanner.scan(engine, tree, wanted, say=say, watch=context.lease)
    return _judged(outcome, found, errors)


def _judged(outcome: Outcome, found: dict[str, str], errors: list[str]) -> dict[str, str]:
    if outcome.timed_out:
        raise OurError(
            f"sonar-scanner was stopped after {duration(round(outcome.seconds))}: the operator "
            "allows more with SLIPWAY_CHECK_SECONDS"
        )
    if outcome.out_of_disk:
        raise OurError(
            "sonar-scanner wrote too much: the operator allows more with SLIPWAY_CHECK_DISK"
        )
    if outcome.out_of_memory and outcome.exit_code:
        raise OurError(
            "sonar-scanner ran out of memory: the operator allows more with SLIPWAY_CHECK_MEMORY"
        )
    if outcome.exit_code:
        raise failure.fault(outcome.exit_code, errors)
    if "ceTaskId" not in found:
        raise OurError(
            f"sonar-scanner ended well and left no {scanner.RESULT}: the operator looks at the "
            "image that SLIPWAY_SONAR_IMAGE names"
        )
    return found


def _arguments(context: Context, server: Sonar, asked: Asked) -> list[str]:
    """What no file may decide; arguments go before every file and variable."""
    order, settings = context.order, context.shop.settings
    told = {
        "project.settings": scanner.SETTINGS,
        "sonar.projectBaseDir": scanner.SOURCE,
        "sonar.working.directory": scanner.WORK,
        "sonar.scanner.metadataFilePath": f"{scanner.WORK}/{scanner.RESULT}",
        "sonar.host.url": server.url,
        "sonar.projectKey": asked.project,
        "sonar.projectVersion": order.commit,
        "sonar.scm.revision": order.commit,
        # There is no repository in the container, and none is to be looked for.
        "sonar.scm.disabled": "true",
        "sonar.qualitygate.wait": "false",
        # It would run the package managers of the repository.
        "sonar.sca.enabled": "false",
    }
    if settings.sonar_organization:
        told["sonar.organization"] = settings.sonar_organization
    if settings.sonar_branches:
        told |= _branch(context)
    return [f"-D{name}={value}" for name, value in told.items()]


def _branch(context: Context) -> dict[str, str]:
    order = context.order
    if "${" in order.branch:
        raise UserError(f"the branch {order.branch} holds ${{…}}, which the scanner would fill in")
    if order.purpose == "check" and order.pull_request:
        number = str(order.pull_request.number)
        return {"sonar.pullrequest.key": number, "sonar.pullrequest.branch": order.branch}
    return {"sonar.branch.name": order.branch}


def _properties(context: Context, given: Iterable[str]) -> str:
    """What the scanner sees of the repository's file; reports are no sources."""
    raw = context.snapshot.read(properties.FILE) or b""
    taken, left_out = properties.admitted(properties.parse(raw.decode(errors="replace")))
    if left_out:
        names = cut(", ".join(left_out), 1000)
        context.say("analyze", f"{properties.FILE}: not passed on: {names} (docs/sonarqube.md)")
    excluded = [taken.get("sonar.exclusions", ""), *(f"{path}/**" for path in given)]
    return properties.render(taken | {"sonar.exclusions": ",".join(filter(None, excluded))})


def _is_data(name: str) -> bool:
    return name.endswith(DATA)


def _reports(context: Context) -> dict[str, dict[str, bytes]]:
    """What checks have left for tools, by the folder in which they left it."""
    history, test = context.shop.ledger.history, context.pipeline.test
    run = history.run(context.run.id)
    given: dict[str, dict[str, bytes]] = {}
    taken = 0
    if run is None or test is None:
        return {}
    for check in run.checks:
        asked = test.checks.get(check.name)
        if asked is None or asked.report is None or check.report is None:
            continue
        source = history.run(check.run) if check.run else run
        try:
            found = reports.read(context.shop, source or run, check.name, _is_data)
        except RunError as error:
            context.say("analyze", f"the report of {check.name} is not passed on: {error}")
            continue
        taken += sum(map(len, found.values()))
        if taken > limits.SCANNED_REPORTS:
            most = size(limits.SCANNED_REPORTS)
            context.say("analyze", f"the reports from {check.name} on are not passed on: {most}")
            break
        if found:
            given[asked.report] = found
    return given
