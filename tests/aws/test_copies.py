"""Server-side copies of packages: write-once as uploads are."""

import pytest

from tests.aws.conftest import BUCKET, COMMIT_A
from workers.aws import artifacts
from workers.aws.artifacts import Artifact
from workers.ledger.model.errors import OurError, UserError

KEY = f"Views/{COMMIT_A}.zip"


@pytest.fixture
def source(aws, cloud) -> Artifact:
    """A package that was uploaded."""
    package = cloud.package("one")
    return artifacts.publish(aws, BUCKET, "Store", COMMIT_A, package.path, package.sha256, {})


def test_a_copy_is_found_like_an_upload(aws, cloud, strict, source):
    """One call copies and sends no bytes; the copy has the same ones and is found by its hash."""
    strict.requests.clear()
    made = artifacts.copy(aws, source, "Views", COMMIT_A)
    assert made == Artifact(BUCKET, KEY, None, source.sha256)
    assert [(r.method, len(r.body or b"")) for r in strict.requests] == [("HEAD", 0), ("PUT", 0)]
    assert artifacts.find(aws, BUCKET, "Views", COMMIT_A) == made
    stored = cloud.client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    assert stored == cloud.package("one").path.read_bytes()


def test_a_copy_asks_for_write_once(aws, strict, source):
    """S3 is asked to refuse, should the key have come up since it was looked for."""
    artifacts.copy(aws, source, "Views", COMMIT_A)
    (request,) = [r for r in strict.requests if "x-amz-copy-source" in r.headers]
    assert request.headers["If-None-Match"] == "*"


def test_copying_again_copies_nothing(aws, strict, source):
    """A copy that is there is reused."""
    made = artifacts.copy(aws, source, "Views", COMMIT_A)
    strict.calls.clear()
    assert artifacts.copy(aws, source, "Views", COMMIT_A) == made
    assert strict.calls == {"HeadObject": 1}


def test_other_bytes_are_never_overwritten(aws, cloud, source):
    """A key that holds another package stays as it is, and the fault is told."""
    other = cloud.package("two")
    artifacts.publish(aws, BUCKET, "Views", COMMIT_A, other.path, other.sha256, {})
    with pytest.raises(UserError, match="already published with other bytes"):
        artifacts.copy(aws, source, "Views", COMMIT_A)
    stored = cloud.client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    assert stored == other.path.read_bytes()


def test_a_source_that_was_replaced_is_noticed(aws, cloud, source):
    """The copy's own checksum counts, not what its notes say."""
    cloud.client("s3").put_object(Bucket=BUCKET, Key=source.key, Body=b"other bytes")
    with pytest.raises(OurError, match="has other bytes than"):
        artifacts.copy(aws, source, "Views", COMMIT_A)
