"""The HTML reports of a run's checks: kept in S3, or in the ledger where there is no bucket."""

from collections.abc import Callable, Iterator

from config.together import together
from workers.archive.log import KEPT_SECONDS, RECALLED_SECONDS
from workers.aws import stored
from workers.aws.session import Aws
from workers.docker.checks.reports import Left
from workers.ledger.model.errors import RunError, UserError
from workers.ledger.model.run import Report, Run
from workers.ledger.reports import MOST_BYTES, packed
from workers.workshop import Workshop, place_of


def keep(shop: Workshop, run: Run, check: str, report: Left, say: Callable[[str], None]) -> Report:
    """Store a report where it can be served from; S3 out of reach is said, and no fault.

    Raises:
        UserError: it is too large for the ledger, and there is no S3 to take it.
    """
    archive = _archive(shop, run, check, report, say)
    if archive:
        size = sum(len(packed(data)) for _, data in _files(report))
        shown = size <= MOST_BYTES
    else:
        shown = shop.ledger.reports.put(run.id, check, _files(report), KEPT_SECONDS)
        if not shown:
            raise UserError(
                f"it has more than {MOST_BYTES >> 20} MB packed, and no bucket to go to"
            )
    return Report(
        index=report.index,
        files=len(report.files),
        size=report.size,
        archive=archive,
        shown=shown,
    )


def recall(shop: Workshop, run: Run, check: str) -> None:
    """Bring a report back from S3 for an hour."""
    place = place_of(shop, run)
    if place is None or check not in {one.name for one in run.checks if one.report}:
        shop.ledger.reports.gone(run.id)
        return
    aws, bucket = place
    names = stored.names(aws, bucket, _prefix(run, check))
    bodies = together(lambda name: stored.read(aws, bucket, _prefix(run, check) + name), names)
    found = zip(names, bodies, strict=True)
    if not (names and shop.ledger.reports.put(run.id, check, found, RECALLED_SECONDS)):
        shop.ledger.reports.gone(run.id)


def read(shop: Workshop, run: Run, check: str, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Those files of a report that are wanted, by their names; none of one that is gone.

    Raises:
        RunError: S3 is out of reach, or refuses.
    """
    place = place_of(shop, run)
    names = stored.names(*place, _prefix(run, check)) if place else []
    if not (place and names):
        kept = shop.ledger.reports.files(run.id, check)
        return {name: data for name, data in kept.items() if wanted(name)}
    chosen = [name for name in names if wanted(name)]
    bodies = together(lambda name: stored.read(*place, _prefix(run, check) + name), chosen)
    return dict(zip(chosen, bodies, strict=True))


def _archive(
    shop: Workshop, run: Run, check: str, report: Left, say: Callable[[str], None]
) -> str | None:
    try:
        place = place_of(shop, run)
        if place is None:
            return None
        _upload(*place, _prefix(run, check), report)
    except RunError as error:
        say(f"the report is kept for three days only: {error}")
        return None
    return f"s3://{place[1]}/{_prefix(run, check)}"


def _upload(aws: Aws, bucket: str, prefix: str, report: Left) -> None:
    def send(name: str) -> None:
        stored.write(aws, bucket, prefix + name, report.read(name))

    together(send, report.files)


def _files(report: Left) -> Iterator[tuple[str, bytes]]:
    return ((name, report.read(name)) for name in report.files)


def _prefix(run: Run, check: str) -> str:
    return f"slipway/runs/{run.id}/reports/{check}/"
