"""AWS's faults arrive as ours, with whose turn it is."""

import pytest

from local.ports import free_port
from tests.aws.conftest import BUCKET, COMMIT_A, REGION
from workers.aws import artifacts, functions
from workers.aws.faults import (
    ChangedError,
    ForbiddenError,
    HashMismatchError,
    InProgressError,
    RevisionMismatchError,
    ThrottledError,
)
from workers.aws.session import Aws
from workers.aws.sites.book import Place
from workers.ledger.model.errors import OurError, PassingError, RunError, UserError

TABLE = [
    (500, "ServiceException", "internal", PassingError),
    (502, "", "", PassingError),
    (503, "ServiceUnavailable", "", PassingError),
    (429, "TooManyRequestsException", "Rate exceeded", ThrottledError),
    (429, "Whatever", "", ThrottledError),
    (400, "ThrottlingException", "Rate exceeded", ThrottledError),
    (409, "ResourceConflictException", "An update is in progress", InProgressError),
    (412, "PreconditionFailedException", "The Revision Id provided", RevisionMismatchError),
    (400, "InvalidParameterValueException", "CodeSHA256 (x) is different", HashMismatchError),
    (400, "InvalidParameterValueException", "Could not unzip uploaded file", UserError),
    (400, "InvalidParameterValueException", "Please provide ImageUri", UserError),
    (400, "InvalidParameterValueException", "S3 Error Code: NoSuchKey", OurError),
    (404, "ResourceNotFoundException", "Cannot find alias arn: x", ChangedError),
    (404, "ResourceNotFoundException", "Function not found: my-alias-maker", UserError),
    (403, "AccessDeniedException", "is not authorized", ForbiddenError),
    (403, "ExpiredTokenException", "expired", OurError),
    (403, "UnrecognizedClientException", "invalid token", OurError),
    (400, "CodeStorageExceededException", "Code storage limit exceeded.", OurError),
    (400, "SomethingNew", "unheard of", OurError),
]


@pytest.fixture
def once(cloud):
    """A session that doesn't repeat calls."""
    return Aws(REGION, endpoint_url=cloud.strict.url, attempts=1)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1]}")
def test_each_fault_has_its_kind(strict, once, row):
    """An answer becomes exactly the kind that says who must act."""
    status, code, message, kind = row
    strict.fail_next("GetFunction", status=status, code=code, message=message)
    with pytest.raises(RunError) as caught:
        functions.version_commit(once, "Store", "1")
    assert type(caught.value) is kind
    assert strict.struck["GetFunction"] == 1


def test_slow_down_of_s3_is_throttling(strict, once):
    """S3's SlowDown, a 503, is a request to slow down and not an outage."""
    strict.fail_next("GetObject", status=503, code="SlowDown", message="Reduce your rate")
    with pytest.raises(ThrottledError):
        artifacts.get_text(once, BUCKET, "logs/1")


def test_throttling_tells_when_to_come_back(strict, once):
    """The seconds of Retry-After reach the caller."""
    strict.fail_next(
        "GetFunction", status=429, code="TooManyRequestsException", headers={"Retry-After": "7"}
    )
    with pytest.raises(ThrottledError) as caught:
        functions.version_commit(once, "Store", "1")
    assert caught.value.retry_after == 7


def test_a_cut_connection_is_passing(strict, once):
    """A connection that ends without an answer is tried again later."""
    strict.fail_next("GetFunction", cut=True)
    with pytest.raises(PassingError):
        functions.version_commit(once, "Store", "1")


def test_an_endpoint_that_is_gone_is_passing():
    """Nobody listening is out of reach, not wrong."""
    gone = Aws(REGION, endpoint_url=f"http://127.0.0.1:{free_port()}", attempts=1)
    with pytest.raises(PassingError, match="out of reach"):
        artifacts.find(gone, BUCKET, "Store", COMMIT_A)


def test_missing_credentials_are_the_operators_turn(cloud, monkeypatch, tmp_path):
    """Without credentials the operator is named."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for role in (None, "arn:aws:iam::123456789012:role/deploy"):
        bare = Aws(REGION, role, endpoint_url=cloud.strict.url)
        with pytest.raises(OurError, match="the operator's turn"):
            functions.version_commit(bare, "Store", "1")


def test_a_missing_region_is_the_operators_turn(monkeypatch, tmp_path):
    """Without a region the message says where to set it."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(OurError, match="AWS_DEFAULT_REGION"):
        functions.version_commit(Aws(endpoint_url="http://127.0.0.1:1"), "Store", "1")


def test_no_message_holds_a_secret(strict, once):
    """What people read never repeats the key, however long AWS's answer."""
    strict.fail_next("GetFunction", status=403, code="SignatureDoesNotMatch", message="x" * 5000)
    with pytest.raises(OurError) as caught:
        functions.version_commit(once, "Store", "1")
    assert "canary-secret" not in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("operation", "named"),
    [
        (
            "HeadObject",
            "HeadObject needs s3:GetObject and s3:ListBucket, the latter for what isn't",
        ),
        ("GetObject", "GetObject needs s3:GetObject and s3:ListBucket"),
        ("PutObject", "PutObject needs s3:PutObject"),
        ("CopyObject", "CopyObject needs s3:GetObject and s3:GetObjectVersion and s3:PutObject"),
    ],
)
def test_a_refusal_of_s3_names_the_missing_action(strict, once, cloud, operation, named):
    """S3 says "Access Denied", and to a HEAD nothing at all: the call's own actions are named."""
    package = cloud.package("one")
    call = {
        "HeadObject": lambda: artifacts.find(once, BUCKET, "Store", COMMIT_A),
        "GetObject": lambda: artifacts.get_text(once, BUCKET, "logs/1"),
        "PutObject": lambda: artifacts.put_text(once, BUCKET, "logs/1", b"text"),
        "CopyObject": lambda: artifacts.copy(
            once, artifacts.Artifact(BUCKET, "a.zip", None, package.sha256), "Store", COMMIT_A
        ),
    }[operation]
    strict.fail_next(operation, status=403, code="AccessDenied", message="Access Denied")
    with pytest.raises(OurError) as caught:
        call()
    assert strict.struck[operation] == 1
    assert "the operator's turn" in str(caught.value)
    assert named in str(caught.value)


def test_a_missing_object_is_no_refusal(once):
    """With s3:ListBucket, what isn't there is answered with 404, and None."""
    assert artifacts.find(once, BUCKET, "Store", COMMIT_A) is None


def test_an_action_that_aws_names_is_not_named_twice(strict, once):
    """Lambda says which action lacks; the sentence stays as short as it was."""
    text = "User: x is not authorized to perform: lambda:GetFunction on resource: y"
    strict.fail_next("GetFunction", status=403, code="AccessDeniedException", message=text)
    with pytest.raises(OurError) as caught:
        functions.version_commit(once, "Store", "1")
    assert str(caught.value).count("lambda:GetFunction") == 1
    strict.fail_next("GetFunction", status=403, code="ExpiredTokenException", message="expired")
    with pytest.raises(OurError) as caught:
        functions.version_commit(once, "Store", "1")
    assert "needs" not in str(caught.value), "no permission lacks"


def test_a_head_with_expired_keys_is_the_operators_turn(strict, once):
    """S3 answers 400 without a word: the credentials are named, and nobody else."""
    # botocore takes the first for that of a bucket in another region, and asks again.
    strict.fail_next("HeadObject", times=4, status=400, code="ExpiredToken", message="expired")
    with pytest.raises(OurError, match="check the AWS credentials"):
        artifacts.find(once, BUCKET, "Store", COMMIT_A)


def test_the_book_of_a_site_that_may_not_be_looked_at(strict, once):
    """Every HEAD of ours is named, not only that of packages."""
    strict.fail_next("HeadObject", status=403, code="AccessDenied")
    with pytest.raises(OurError, match="HeadObject needs s3:GetObject and s3:ListBucket"):
        Place(once, BUCKET, "sandbox").book_mark()
