"""A git tree is built and tested once; a worker without an engine proves what was reused."""

import json
import time

import pytest

from tests.stages.conftest import BUCKET, FUNCTION, OTHER_BUCKET, REPOSITORY, files
from workers.ledger import keys as names
from workers.ledger.lease import Lease
from workers.ledger.model.run import CheckRecord, State

pytestmark = pytest.mark.docker


def first(yard, branch="develop", **more):
    """Build and deploy one commit; its run."""
    run = yard.able.ended(yard.able.push(REPOSITORY, branch, files(**more)))
    assert run.state is State.SUCCEEDED, yard.able.log(run.id)
    return run


def test_a_merge_with_the_same_tree_builds_and_tests_nothing(yard):
    """What sandbox ran goes on to staging: without an engine, the same bytes, a key more."""
    one = first(yard)
    run_id = yard.merge("preprod")
    two = yard.unable.ended(run_id)
    assert two.state is State.SUCCEEDED, yard.unable.log(run_id)
    log = yard.unable.log(run_id)
    assert f"was built by run {one.id} (commit {one.order.commit[:7]})" in log
    assert f"passed in run {one.id} (commit {one.order.commit[:7]})" in log
    assert (
        yard.unable.stage(run_id, "test") == f"1 check passed for the same tree in run {one.id[:8]}"
    )
    assert "reused from run" in yard.unable.stage(run_id, "build")
    (check,) = two.checks
    assert (check.name, check.exit_code, check.run) == ("unit", 0, one.id)
    assert yard.version("sandbox")["CodeSha256"] == yard.version("staging")["CodeSha256"]
    assert two.releases[0].sha256 == one.releases[0].sha256
    keys = {f"{FUNCTION}/{run.order.commit}.zip" for run in (one, two)}
    assert keys <= set(yard.cloud.objects(BUCKET))


def test_another_bucket_gets_a_copy(yard):
    """An environment with a bucket of its own gets the package by a copy inside S3."""
    one = first(yard)
    yard.strict.requests.clear()
    run_id = yard.merge("master")
    two = yard.unable.ended(run_id)
    assert two.state is State.SUCCEEDED, yard.unable.log(run_id)
    source, made = (f"{FUNCTION}/{run.order.commit}.zip" for run in (one, two))
    assert yard.cloud.read(OTHER_BUCKET, made) == yard.cloud.read(BUCKET, source)
    sent = [r for r in yard.strict.requests if r.method == "PUT" and made in r.path]
    assert [r.headers["x-amz-copy-source"] for r in sent] == [f"{BUCKET}/{source}"]


def test_other_arguments_make_other_packages(yard):
    """A build that is told its environment is built for each."""
    build = 'args = { ENVIRONMENT = "{environment}" }'
    dockerfile = (
        "FROM python:3.11-slim\nWORKDIR /app\nARG ENVIRONMENT\n"
        "COPY index.py ./\nRUN echo $ENVIRONMENT > environment\n"
    )
    one = first(yard, build=build, Dockerfile=dockerfile)
    two = yard.able.ended(yard.merge("preprod"))
    assert two.state is State.SUCCEEDED, yard.able.log(two.id)
    assert "reused" not in yard.able.stage(two.id, "build")
    assert one.releases[0].sha256 != two.releases[0].sha256
    assert yard.version("staging")["CodeSha256"] == two.releases[0].sha256


@pytest.mark.parametrize("accident", ["deleted", "replaced", "forbidden"])
def test_a_package_that_cannot_be_used_is_built_again(yard, accident):
    """What S3 lost, what somebody replaced, what the role may not read: built as ever."""
    one = first(yard)
    s3 = yard.cloud.client("s3")
    key = f"{FUNCTION}/{one.order.commit}.zip"
    if accident == "deleted":
        s3.delete_object(Bucket=BUCKET, Key=key)
    elif accident == "replaced":
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"something else")
    else:
        yard.strict.fail_next("HeadObject", status=403, code="AccessDenied")
    two = yard.able.ended(yard.merge("preprod"))
    assert two.state is State.SUCCEEDED, yard.able.log(two.id)
    assert "built again" in yard.able.log(two.id)
    assert "reused" not in yard.able.stage(two.id, "build")
    if accident == "forbidden":
        assert yard.strict.struck["HeadObject"] == 1
    three = yard.unable.ended(yard.merge("master"))
    assert three.state is State.SUCCEEDED, yard.unable.log(three.id)
    assert f"was built by run {two.id}" in yard.unable.log(three.id)


def test_a_copy_that_is_refused_falls_back_to_building(yard):
    """S3 shows the package and does not let it be copied: it is built, and deployed."""
    first(yard)
    yard.strict.fail_next("CopyObject", status=403, code="AccessDenied")
    two = yard.able.ended(yard.merge("master"))
    assert yard.strict.struck["CopyObject"] == 1
    assert two.state is State.SUCCEEDED, yard.able.log(two.id)
    assert "can't be used" in yard.able.log(two.id)
    assert yard.version("production")["CodeSha256"] == two.releases[0].sha256


def test_a_failed_verdict_is_never_reused(yard):
    """What failed is tested again, however often."""
    broken = files() | {"index.py": "import nothing_of_that_name\n"}
    for branch in ("develop", "preprod"):
        run = yard.able.ended(yard.able.push(REPOSITORY, branch, broken))
        assert run.state is State.FAILED
        assert "unit failed with exit code 1" in run.error
        assert run.checks[0].run is None
    assert list(yard.able.redis.scan_iter(f"{names.TESTED}*")) == []
    assert list(yard.able.redis.scan_iter(f"{names.BUILT}*")) == []


def test_a_pull_requests_verdict_counts_for_its_merge(yard):
    """The check of a branch that is up to date tests the tree that the merge brings."""
    first(yard, "develop")
    yard.github.commit(REPOSITORY, "topic", files("two"))
    pull = yard.github.open_pull_request(REPOSITORY, "topic", "develop")
    git = yard.github.git(REPOSITORY)
    from tests.stand_ins.github import events

    repos = (yard.github.repository(REPOSITORY),) * 2
    payload = events.pull_request("opened", pull, repos, yard.github.links)
    check = yard.able.ended(yard.able.deliver("pull_request", payload)["run_id"])
    assert check.state is State.SUCCEEDED, yard.able.log(check.id)
    yard.github.merge(pull)
    run_id = yard.able.told(REPOSITORY, "develop")
    merged = yard.able.ended(run_id)
    assert merged.state is State.SUCCEEDED, yard.able.log(run_id)
    trees = {git.run("rev-parse", f"{r.order.commit}^{{tree}}") for r in (check, merged)}
    assert len(trees) == 1
    assert merged.checks[0].run == check.id
    assert "reused" not in yard.able.stage(run_id, "build"), "a check publishes nothing"


@pytest.mark.parametrize(
    ("test", "tested_again"),
    [("reuse = false", True), ("network = true", True), ("network = true\nreuse = true", False)],
)
def test_the_file_says_whether_a_verdict_serves_again(yard, test, tested_again):
    """`reuse` decides; left out, checks that reach the network are done again."""
    first(yard, test=test)
    two = yard.able.ended(yard.merge("preprod"))
    assert two.state is State.SUCCEEDED, yard.able.log(two.id)
    assert (two.checks[0].run is None) is tested_again
    assert "reused" in yard.able.stage(two.id, "build")


def test_the_file_says_whether_a_package_serves_again(yard):
    """`reuse = false` in [build] builds every commit."""
    first(yard, build="reuse = false")
    two = yard.able.ended(yard.merge("preprod"))
    assert two.state is State.SUCCEEDED, yard.able.log(two.id)
    assert "reused" not in yard.able.stage(two.id, "build")
    assert list(yard.able.redis.scan_iter(f"{names.BUILT}*")) == []


def test_records_go_when_their_time_is_over(yard):
    """Both records bear the operator's limit, 30 days unless set otherwise."""
    first(yard)
    found = [*yard.able.redis.scan_iter(f"{names.TESTED}*")]
    found += yard.able.redis.scan_iter(f"{names.BUILT}*")
    assert len(found) == 2
    for key in found:
        assert 0 < yard.able.redis.pttl(key) <= 30 * 86_400_000
        assert json.loads(yard.able.redis.get(key))["run"]


def test_a_worker_that_lost_its_lease_leaves_no_record(redis, yard):
    """What a dead worker would have others believe is refused."""
    book = yard.able.shop.ledger
    run_id = yard.able.push(REPOSITORY, "develop", files())
    lease = book.lease(run_id, "w1", "n1", seconds=0.001, capacity=9)
    time.sleep(0.01)
    assert isinstance(book.lease(run_id, "w2", "n2", seconds=9, capacity=9), Lease)
    from workers.ledger.model.errors import StoppedError

    with pytest.raises(StoppedError):
        lease.keep(f"{names.TESTED}1:x", CheckRecord(name="unit", exit_code=0, seconds=1), 60)
    assert redis.get(f"{names.TESTED}1:x") is None
