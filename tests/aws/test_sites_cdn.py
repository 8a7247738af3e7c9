"""CloudFront's edges are told once."""

import pytest

from tests.aws.test_sites import NOT_OF_S3, Answering, page
from workers.aws.sites.cdn import invalidate
from workers.ledger.model.errors import OurError, PassingError

ORIGIN = {
    "Id": "s3",
    "DomainName": "site.s3.amazonaws.com",
    "S3OriginConfig": {"OriginAccessIdentity": ""},
}


def test_everything_is_invalidated_under_the_runs_name(aws, cloud):
    """One path, with the run's id as reference."""
    client = cloud.client("cloudfront")
    made = client.create_distribution(
        DistributionConfig={
            "CallerReference": "test",
            "Origins": {"Quantity": 1, "Items": [ORIGIN]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "s3",
                "ViewerProtocolPolicy": "allow-all",
                "MinTTL": 0,
                "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
            },
            "Comment": "",
            "Enabled": True,
        }
    )["Distribution"]["Id"]
    identity = invalidate(aws, made, "run-1")
    found = client.get_invalidation(DistributionId=made, Id=identity)["Invalidation"]
    assert found["InvalidationBatch"]["CallerReference"] == "run-1"
    assert found["InvalidationBatch"]["Paths"]["Items"] == ["/*"]


def test_a_distribution_that_is_missing_is_named(aws):
    """The error says which key is wrong."""
    with pytest.raises(OurError, match="correct `distribution`"):
        invalidate(aws, "E1A2B3C4D5E6F7", "run-1")


def test_a_proxys_page_is_no_invalidation(aws, strict):
    """An answer that is none of AWS's is tried again, as one that did not come."""
    proxy = Answering(strict, lambda _request: True, page(NOT_OF_S3["no XML"]))
    with proxy, pytest.raises(PassingError, match="none of AWS's"):
        invalidate(aws, "E1A2B3C4D5E6F7", "run-1")
    assert proxy.struck > 0
