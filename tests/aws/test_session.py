"""Sessions: pooled clients, roles that renew themselves, one per process."""

import os
import threading
import time

import pytest

from tests.aws.conftest import BUCKET, COMMIT_A, REGION
from workers.aws import artifacts, functions
from workers.aws.faults import ThrottledError
from workers.aws.session import Aws, aws_for
from workers.ledger.model.errors import OurError

ROLE = "arn:aws:iam::123456789012:role/deploy"


def test_a_process_has_one_session_per_region_and_role():
    """Asking again gives the same object; another role gets its own."""
    assert aws_for(REGION) is aws_for(REGION)
    assert aws_for(REGION) is not aws_for(REGION, ROLE)
    assert aws_for(REGION) is not aws_for("us-east-1")


def test_a_forked_child_has_its_own_session():
    """A child never speaks on its parent's connections."""
    before = aws_for(REGION)
    child = os.fork()
    if child == 0:
        os._exit(0 if aws_for(REGION) is not before else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_threads_share_one_client(aws):
    """Sixteen threads that ask at once get the same client."""
    start = threading.Barrier(16)
    seen = []

    def ask():
        start.wait()
        seen.append(aws.lambda_)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 16
    assert len({id(client) for client in seen}) == 1


def test_making_a_client_once_is_what_makes_calls_cheap(aws):
    """The second use of a client costs next to nothing."""
    start = time.perf_counter()
    first = aws.s3
    made = time.perf_counter()
    assert aws.s3 is first
    assert time.perf_counter() - made < (made - start) / 10


def test_passing_faults_are_repeated(strict, aws, cloud):
    """Two 503 answers are absorbed by the third attempt."""
    cloud.function("Store")
    strict.fail_next("GetFunction", times=2)
    assert functions.version_commit(aws, "Store", "$LATEST") is None
    functions._read(aws, "Store")
    assert strict.struck["GetFunction"] == 2
    assert strict.calls["GetFunction"] == 3


def test_repeating_ends(strict, cloud):
    """After the last attempt the caller hears of it."""
    cloud.function("Store")
    twice = Aws(REGION, endpoint_url=strict.url, attempts=2)
    strict.fail_next("GetFunction", times=9, status=429, code="TooManyRequestsException")
    with pytest.raises(ThrottledError):
        functions._read(twice, "Store")
    assert strict.calls["GetFunction"] == 2


def test_variables_name_the_endpoint(cloud, monkeypatch):
    """AWS_ENDPOINT_URL and AWS_DEFAULT_REGION are enough."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.strict.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    aws = Aws()
    artifacts.put_text(aws, BUCKET, "logs/1", b"hello")
    assert artifacts.get_text(aws, BUCKET, "logs/1") == "hello"
    assert aws.region == REGION


def test_aws_region_will_do(cloud, strict, monkeypatch, tmp_path):
    """Where boto3 finds no region, AWS_REGION counts: for a role and without one."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_REGION", REGION)
    cloud.function("Store")
    for role in (None, ROLE):
        aws = Aws(role_arn=role, endpoint_url=strict.url)
        functions._read(aws, "Store")
        assert aws.region == REGION
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    assert Aws().region == "us-west-2"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_local_endpoint_is_asked_path_style(cloud, host):
    """The bucket is in the path, since no name server knows `packages.localhost`."""
    port = cloud.strict.url.rpartition(":")[2]
    aws = Aws(REGION, endpoint_url=f"http://{host}:{port}")
    artifacts.put_text(aws, BUCKET, "logs/1", b"hello")
    last = cloud.strict.requests[-1]
    assert last.path.startswith(f"/{BUCKET}/logs/1")
    assert last.headers["Host"] == f"{host}:{port}"


def test_a_role_is_assumed_once(cloud, strict):
    """All calls of an hour use one AssumeRole, and bear its token."""
    cloud.function("Store")
    aws = Aws(REGION, ROLE, endpoint_url=strict.url)
    for _ in range(3):
        functions._read(aws, "Store")
    artifacts.put_text(aws, BUCKET, "logs/1", b"hello")
    assert strict.calls["AssumeRole"] == 1
    used = [r for r in strict.requests if r.operation != "AssumeRole"]
    assert all(r.headers["X-Amz-Security-Token"] for r in used)


def test_a_role_is_renewed_before_it_expires(cloud, strict):
    """Credentials that run out in eleven minutes are renewed without a failing call."""
    cloud.function("Store")
    aws = Aws(REGION, ROLE, endpoint_url=strict.url)
    strict.role_seconds = 660
    functions._read(aws, "Store")
    before = strict.calls["AssumeRole"]
    strict.role_seconds = None
    functions._read(aws, "Store")
    functions._read(aws, "Store")
    assert strict.calls["AssumeRole"] == before + 1


def test_a_role_that_expires_in_the_middle_of_a_deploy(cloud, strict):
    """Keys that end while AWS applies the update are renewed, and no call is refused."""
    cloud.function("Store")
    package = cloud.package("one")
    aws = Aws(REGION, ROLE, endpoint_url=strict.url)
    strict.role_seconds = 2
    strict.update_seconds = 3
    artifact = artifacts.publish(aws, BUCKET, "Store", COMMIT_A, package.path, package.sha256, {})
    made = functions.deploy(
        aws, "Store", artifact, COMMIT_A, watch=lambda: None, say=lambda _: None
    )
    assert functions.version_commit(aws, "Store", made.number) == made.commit == COMMIT_A
    used = [r.headers["X-Amz-Security-Token"] for r in strict.requests if r.function]
    assert strict.expired(used[0])
    assert used[0] != used[-1]


def test_a_role_that_is_refused_is_the_operators_turn(strict):
    """AccessDenied of AssumeRole names the operator."""
    strict.fail_next("AssumeRole", status=403, code="AccessDenied", message="not authorized")
    aws = Aws(REGION, ROLE, endpoint_url=strict.url)
    with pytest.raises(OurError, match="the operator's turn"):
        functions._read(aws, "Store")
