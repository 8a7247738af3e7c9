"""Where what is kept of a run goes, beside its packages."""

from workers.aws.session import Aws, aws_of
from workers.ledger.model.run import Run
from workers.workshop import Workshop


def place_of(shop: Workshop, run: Run) -> tuple[Aws, str] | None:
    """AWS and a bucket, or None when the operator named none."""
    rule = shop.operator.repository(run.order.repository)
    environment = shop.operator.environments.get(run.order.environment or "")
    bucket = (environment and environment.bucket) or (rule and rule.bucket)
    if not bucket:
        return None
    return aws_of(environment), bucket
