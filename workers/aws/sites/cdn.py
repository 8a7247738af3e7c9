"""CloudFront: tells its edges that a site has changed."""

from workers.aws.faults import translated
from workers.aws.session import Aws

EVERYTHING = "/*"
"""One path, which counts as one: any page may answer for any address (origin paths, fallbacks)."""


def invalidate(aws: Aws, distribution: str, reference: str) -> str:
    """Have the edges ask again; the invalidation's id.

    CloudFront takes a request with the same `reference` as the same one, so repeating is harmless.

    Raises:
        OurError: the distribution doesn't exist, or isn't ours to invalidate.
        PassingError: out of reach, or too many invalidations are under way.
    """
    with translated(f"invalidating the distribution {distribution}"):
        answer = aws.cloudfront.create_invalidation(
            DistributionId=distribution,
            InvalidationBatch={
                "Paths": {"Quantity": 1, "Items": [EVERYTHING]},
                "CallerReference": reference,
            },
        )
    return str(answer["Invalidation"]["Id"])
