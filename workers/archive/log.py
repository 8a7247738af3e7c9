"""A run's log in S3: written when the run has ended, brought back when somebody asks."""

from workers.archive import ending
from workers.aws import artifacts
from workers.ledger.model.run import Run
from workers.workshop import Workshop, place_of

KEPT_SECONDS = 3 * 86400
RECALLED_SECONDS = 3600
NOWHERE = "in the ledger"


def archive(shop: Workshop, run: Run) -> str:
    """Write the log of an ended run to S3; its URL, or where it is when there is no bucket.

    Raises:
        PassingError: a part of the whole log is still on its way.
        RunError: S3 is out of reach, or refuses.
    """
    place = place_of(shop, run)
    if place is None:
        return NOWHERE
    aws, bucket = place
    ending.end(shop, run)
    artifacts.put_text(aws, bucket, _key(run), shop.ledger.history.text(run.id).encode())
    shop.ledger.expire_log(run.id, KEPT_SECONDS)
    return f"s3://{bucket}/{_key(run)}"


def recall(shop: Workshop, run: Run) -> None:
    """Bring an archived log back into the ledger, for an hour."""
    place = place_of(shop, run)
    if place is None:
        return
    aws, bucket = place
    text = artifacts.get_text(aws, bucket, _key(run))
    if text is None:
        text = f"[slipway] s3://{bucket}/{_key(run)} is gone: somebody deleted it\n"
    shop.ledger.put_log(run.id, text, RECALLED_SECONDS)


def _key(run: Run) -> str:
    return f"slipway/logs/{run.id}.txt"
