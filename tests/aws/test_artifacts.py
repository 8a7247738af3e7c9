"""Packages in S3: written once, found by commit, never overwritten."""

import io
import threading

import pytest

from tests.aws.conftest import BUCKET, COMMIT_A, COMMIT_B, REGION, Package
from workers.aws import artifacts
from workers.aws.artifacts import Artifact
from workers.aws.session import Aws
from workers.ledger.model.errors import OurError, PassingError, UserError

KEY = f"Store/{COMMIT_A}.zip"


def publish(aws, package, **metadata):
    """Publish a package as Store at commit A."""
    return artifacts.publish(aws, BUCKET, "Store", COMMIT_A, package.path, package.sha256, metadata)


def stored(cloud, key=KEY):
    """The bytes that moto holds."""
    return cloud.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()


def test_a_package_is_published_and_found(aws, cloud, strict):
    """What was uploaded is found by function and commit, in one call each."""
    package = cloud.package("one")
    made = publish(aws, package, tree="t1")
    assert made == Artifact(BUCKET, KEY, None, package.sha256)
    assert artifacts.find(aws, BUCKET, "Store", COMMIT_A) == made
    assert artifacts.find(aws, BUCKET, "Store", COMMIT_B) is None
    assert stored(cloud) == package.path.read_bytes()
    assert strict.calls == {"PutObject": 1, "HeadObject": 2}


def test_s3_is_given_the_hash_to_verify(aws, cloud, strict):
    """The upload bears the hash that the build told, the write-once condition and the notes."""
    changed_since = Package(cloud.package("one").path, cloud.package("two").sha256)
    publish(aws, changed_since, tree="t1")
    headers = strict.requests[0].headers
    assert headers["x-amz-checksum-sha256"] == changed_since.sha256
    assert headers["If-None-Match"] == "*"
    assert headers["x-amz-meta-tree"] == "t1"


def test_publishing_again_reuses_what_is_there(aws, cloud):
    """The same bytes for the same commit are no fault."""
    package = cloud.package("one")
    assert publish(aws, package) == publish(aws, package)


def test_other_bytes_for_a_commit_fail_loudly(aws, cloud):
    """A build that isn't reproducible is told with both hashes, and nothing is overwritten."""
    one, two = cloud.package("one"), cloud.package("two")
    publish(aws, one)
    with pytest.raises(UserError, match="not reproducible") as caught:
        publish(aws, two)
    assert one.sha256 in str(caught.value)
    assert two.sha256 in str(caught.value)
    assert stored(cloud) == one.path.read_bytes()


def test_a_versioned_bucket_gives_the_versions_id(aws, cloud):
    """The version is pinned, the same on upload and when found."""
    cloud.client("s3").put_bucket_versioning(
        Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"}
    )
    made = publish(aws, cloud.package("one"))
    assert made.version_id
    assert artifacts.find(aws, BUCKET, "Store", COMMIT_A) == made


def test_an_answer_lost_after_the_upload_is_absorbed(aws, cloud, strict):
    """Botocore's repetition meets the object that the first attempt wrote."""
    strict.fail_next("PutObject", cut_after_success=True)
    made = publish(aws, cloud.package("one"))
    assert made.sha256 == cloud.package("one").sha256
    assert strict.struck["PutObject"] == 1


def test_every_answer_lost_is_settled_by_reading_back(cloud, strict):
    """Where no attempt is left, S3 is asked what it holds."""
    once = Aws(REGION, endpoint_url=strict.url, attempts=1)
    strict.fail_next("PutObject", cut_after_success=True)
    package = cloud.package("one")
    assert publish(once, package).sha256 == package.sha256
    assert strict.calls == {"PutObject": 1, "HeadObject": 1}


def test_an_upload_that_never_arrived_is_passing(cloud, strict):
    """Nothing there after a lost upload means: try again later."""
    once = Aws(REGION, endpoint_url=strict.url, attempts=1)
    strict.fail_next("PutObject", cut=True)
    with pytest.raises(PassingError):
        publish(once, cloud.package("one"))


def test_a_concurrent_write_is_waited_for(aws, cloud, strict):
    """409 from S3 is tried again."""
    strict.fail_next("PutObject", 2, status=409, code="ConditionalRequestConflict")
    publish(aws, cloud.package("one"))
    assert strict.struck["PutObject"] == 2


def test_an_object_removed_while_we_look_is_written_again(aws, cloud, strict):
    """It was there for the upload and gone for the look: upload once more."""
    package = cloud.package("one")
    publish(aws, package)
    gone = {"Bucket": BUCKET, "Key": KEY}
    strict.meanwhile("HeadObject", lambda: cloud.client("s3").delete_object(**gone))
    assert publish(aws, package).sha256 == package.sha256
    assert stored(cloud) == package.path.read_bytes()


def test_twenty_at_once_write_once(aws, cloud, strict):
    """Twenty uploads of the same package end in one object and twenty equal answers."""
    package = cloud.package("one")
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(publish(aws, package))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 20
    assert len(set(results)) == 1
    assert strict.calls["HeadObject"] == 19


@pytest.mark.parametrize("notes", [{"sha256": "noted"}, {}])
def test_a_server_that_reports_no_checksum_is_believed_by_note_or_by_bytes(aws, cloud, notes):
    """The hash comes from the metadata, and without it from the bytes themselves."""
    package = cloud.package("one")
    cloud.client("s3").put_object(
        Bucket=BUCKET, Key=KEY, Body=package.path.read_bytes(), Metadata=notes
    )
    found = artifacts.find(aws, BUCKET, "Store", COMMIT_A)
    assert found.sha256 == notes.get("sha256", package.sha256)


def test_a_missing_bucket_is_the_operators_turn(aws, cloud):
    """The message names the bucket and who creates it."""
    package = cloud.package("one")
    with pytest.raises(OurError, match=r"nowhere/Store.*the operator's turn"):
        artifacts.publish(aws, "nowhere", "Store", COMMIT_A, package.path, package.sha256)


@pytest.mark.parametrize(
    "body", [b"one\ntwo \xe2\x9c\x93\n", io.BytesIO(b"one\ntwo \xe2\x9c\x93\n")]
)
def test_a_log_comes_back_as_it_went(aws, cloud, body):
    """Text is stored from bytes or a file, with its type, and read again."""
    artifacts.put_text(aws, BUCKET, "logs/1", body)
    assert artifacts.get_text(aws, BUCKET, "logs/1") == "one\ntwo ✓\n"
    head = cloud.client("s3").head_object(Bucket=BUCKET, Key="logs/1")
    assert head["ContentType"] == "text/plain; charset=utf-8"


def test_a_log_that_isnt_there_is_none(aws):
    """No text is no fault."""
    assert artifacts.get_text(aws, BUCKET, "logs/2") is None
