"""Deploying a function: one version per commit and package, whatever happens on the way."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.aws.conftest import BUCKET, COMMIT_A, COMMIT_B, REGION
from workers.aws import artifacts, functions
from workers.aws.session import Aws
from workers.ledger.model.errors import OurError, PassingError, StoppedError, UserError

WRITES = ("UpdateFunctionCode", "PublishVersion")


@pytest.fixture
def said():
    """The lines of the run's log."""
    return []


@pytest.fixture
def deploy(aws, cloud, said):
    """Publish a text as a package and deploy it to Store."""

    def go(text="one", commit=COMMIT_A, session=aws, watch=lambda: None, **options):
        package = cloud.package(text)
        artifact = artifacts.publish(aws, BUCKET, "Store", commit, package.path, package.sha256)
        version = functions.deploy(
            session, "Store", artifact, commit, watch=watch, say=said.append, **options
        )
        return version.number

    return go


@pytest.fixture
def store(cloud):
    """The function Store."""
    return cloud.function("Store")


@pytest.fixture
def neighbour(strict, cloud, store):
    """Somebody else who writes to the function, through the same guards."""
    client = Aws(REGION, endpoint_url=strict.url).lambda_

    def change(text):
        client.update_function_code(
            FunctionName=store, ZipFile=cloud.package(text).path.read_bytes()
        )

    return change


def published(cloud):
    """Version, commit and hash of all versions in moto."""
    listed = cloud.client("lambda").list_versions_by_function(FunctionName="Store")["Versions"]
    return [
        (v["Version"], v["Description"], v["CodeSha256"])
        for v in listed
        if v["Version"] != "$LATEST"
    ]


def test_a_deploy_makes_one_version_that_bears_the_commit(deploy, cloud, store, strict):
    """Code, version, description and hash are ours, with one write of each kind."""
    assert deploy() == "1"
    assert published(cloud) == [("1", COMMIT_A, cloud.package("one").sha256)]
    assert [strict.calls[name] for name in WRITES] == [1, 1]


def test_what_nobody_has_begun_is_not_looked_for(deploy, cloud, store, strict):
    """The first attempt of all needs two calls of Lambda's quota, and no listing."""
    assert deploy(fresh=True) == "1"
    assert published(cloud) == [("1", COMMIT_A, cloud.package("one").sha256)]
    assert strict.calls["ListVersionsByFunction"] == 0


def test_functions_deploy_side_by_side(aws, cloud):
    """Four threads share the clients, and each function gets its own version."""
    names = [cloud.function(f"Store{n}") for n in range(4)]
    package = cloud.package("one")

    def go(name):
        artifact = artifacts.publish(aws, BUCKET, name, COMMIT_A, package.path, package.sha256)
        made = functions.deploy(aws, name, artifact, COMMIT_A, watch=lambda: None, say=print)
        return made.number

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(go, names)) == ["1"] * 4
    assert all(cloud.versions(name) == [("1", COMMIT_A)] for name in names)


def test_settings_of_the_function_are_left_alone(deploy, cloud, store, strict):
    """Memory and variables are as terraform set them."""
    deploy()
    config = cloud.client("lambda").get_function(FunctionName="Store")["Configuration"]
    assert config["MemorySize"] == 512
    assert config["Environment"] == {"Variables": {"KEPT": "yes"}}
    assert strict.calls["UpdateFunctionConfiguration"] == 0


def test_deploying_again_touches_nothing(deploy, store, strict, said):
    """The second time the version is found, without a write."""
    first = deploy()
    before = dict(strict.calls)
    assert deploy() == first
    assert all(strict.calls[name] == before[name] for name in WRITES)
    assert "already bears this commit" in said[-1]


def test_a_version_with_our_commit_and_other_bytes_isnt_taken(deploy, cloud, store):
    """Whoever described another package with our commit doesn't get it released."""
    cloud.client("lambda").publish_version(FunctionName=store, Description=COMMIT_A)
    assert deploy() == "2"
    assert published(cloud)[-1] == ("2", COMMIT_A, cloud.package("one").sha256)


def test_a_version_is_found_on_a_later_page(deploy, store, strict):
    """The search reads all pages."""
    strict.page = 2
    versions = [deploy(f"text {n}", f"{n:040x}") for n in range(5)]
    assert versions == ["1", "2", "3", "4", "5"]
    before = strict.calls["PublishVersion"]
    assert deploy("text 4", f"{4:040x}") == "5"
    assert strict.calls["PublishVersion"] == before


def test_code_that_is_there_already_isnt_sent(deploy, cloud, store, strict):
    """Where $LATEST holds our package, only the version is published."""
    deploy("seed")
    assert strict.calls["UpdateFunctionCode"] == 0
    assert published(cloud) == [("1", COMMIT_A, cloud.package("seed").sha256)]


def test_an_identical_package_of_another_commit_is_accepted_and_said(deploy, store, said):
    """AWS gives the existing version with its older description; its hash is ours."""
    deploy("zero", "0" * 40)  # moto takes the second publication of a function for a change
    assert deploy("one", COMMIT_A) == "2"
    assert deploy("one", COMMIT_B) == "2"
    assert f"published before as {COMMIT_A}" in said[-1]


def test_updates_are_waited_for(deploy, store, strict):
    """Ours and the new version's activation are polled to their end, without a conflict."""
    strict.update_seconds, strict.version_seconds = 0.7, 0.5
    start = time.monotonic()
    assert deploy() == "1"
    assert time.monotonic() - start > 1.2
    assert [strict.calls[name] for name in WRITES] == [1, 1]


def test_another_update_is_waited_for(deploy, cloud, neighbour, strict):
    """What somebody else began is awaited before ours begins."""
    strict.update_seconds = 0.7
    neighbour("other")
    deploy()
    assert published(cloud) == [("1", COMMIT_A, cloud.package("one").sha256)]
    assert strict.calls["UpdateFunctionCode"] == 2


@pytest.mark.parametrize("operation", WRITES)
def test_conflicts_never_reach_the_user(deploy, cloud, store, strict, operation):
    """Three conflicts in a row end in the one version."""
    strict.fail_next(operation, 3, status=409, code="ResourceConflictException")
    deploy()
    assert strict.struck[operation] == 3
    assert published(cloud) == [("1", COMMIT_A, cloud.package("one").sha256)]


def test_endless_conflicts_end_with_patience(deploy, store, strict):
    """A function that stays busy is a passing fault after the time given."""
    strict.fail_next("UpdateFunctionCode", 99, status=409, code="ResourceConflictException")
    start = time.monotonic()
    with pytest.raises(PassingError, match="waited 1 s"):
        deploy(patience=1)
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("operation", WRITES)
def test_foreign_code_in_between_is_never_published_as_ours(
    deploy, cloud, neighbour, strict, operation
):
    """Whoever replaces the code during our deploy, our commit's version holds our package."""
    strict.meanwhile(operation, lambda: neighbour("foreign"))
    version = deploy()
    assert (version, COMMIT_A, cloud.package("one").sha256) in published(cloud)
    assert all(
        sha == cloud.package("one").sha256 for _, c, sha in published(cloud) if c == COMMIT_A
    )
    assert strict.calls["UpdateFunctionCode"] == 3


def test_the_hash_guards_the_publication(deploy, cloud, store, strict):
    """The package's hash is sent along, and AWS's refusal leads to another look."""
    text = "CodeSHA256 (x) is different from current CodeSHA256 in $LATEST (y)."
    code = "InvalidParameterValueException"
    strict.fail_next("PublishVersion", status=400, code=code, message=text)
    assert deploy() == "1"
    sent = [r.json["CodeSha256"] for r in strict.requests if r.operation == "PublishVersion"]
    assert sent == [cloud.package("one").sha256] * 2


def test_a_neighbour_without_end_is_passing(deploy, cloud, neighbour, strict):
    """The decision is taken anew a bounded number of times."""
    number = itertools.count()

    def again():
        neighbour(f"foreign {next(number)}")
        strict.meanwhile("PublishVersion", again)

    strict.meanwhile("PublishVersion", again)
    with pytest.raises(PassingError):
        deploy()
    assert published(cloud) == []
    assert strict.calls["PublishVersion"] == functions.DECISIONS


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("operation", WRITES)
def test_a_lost_answer_makes_no_second_version(deploy, cloud, store, strict, operation, fresh):
    """Botocore's repetition loses against our own first attempt, and that is seen."""
    strict.fail_next(operation, cut_after_success=True)
    assert deploy(fresh=fresh) == "1"
    assert strict.struck[operation] == 1
    assert published(cloud) == [("1", COMMIT_A, cloud.package("one").sha256)]


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("fault", [{"cut_after_success": True}, {"cut": True}, {"status": 500}])
@pytest.mark.usefixtures("store")
def test_a_deploy_that_broke_is_repeated_to_the_same_end(deploy, cloud, strict, operation, fault):
    """After an outage the next try ends in the one version."""
    once = Aws(REGION, endpoint_url=strict.url, attempts=1)
    strict.fail_next(operation, **fault)
    with pytest.raises(PassingError):
        deploy(session=once)
    assert deploy(session=once) == "1"
    assert published(cloud) == [("1", COMMIT_A, cloud.package("one").sha256)]


def test_an_update_that_aws_fails_is_told_with_its_reason(deploy, cloud, store, strict):
    """Nothing is published, and the reason names the operator's turn."""
    strict.fail_update("Store", "KMSKeyNotFound", "the key is gone")
    with pytest.raises(OurError, match=r"operator's turn.*KMSKeyNotFound: the key is gone"):
        deploy()
    assert published(cloud) == []


def test_a_package_that_aws_cant_use_is_the_users_fault(deploy, store, strict):
    """A reason that speaks about the zip is for the repository."""
    strict.fail_update("Store", "InvalidZipFileException", "not a zip")
    with pytest.raises(UserError, match="InvalidZipFileException"):
        deploy()


@pytest.mark.parametrize("commit", [COMMIT_A, COMMIT_B])
def test_a_failed_update_doesnt_bar_the_next_one(deploy, cloud, store, strict, commit):
    """A retry sends the code again, and a corrected commit goes through."""
    strict.fail_update("Store", "InternalError", "sorry")
    with pytest.raises(OurError):
        deploy()
    assert deploy("one" if commit == COMMIT_A else "two", commit) == "1"
    assert strict.calls["UpdateFunctionCode"] == 2


def test_a_function_that_isnt_there_is_named(deploy, cloud):
    """The message has the function, the region and the remedy."""
    with pytest.raises(UserError, match=r"function Store doesn't exist in eu-west-3: create it"):
        deploy()


def test_other_bytes_in_s3_stop_the_deploy(aws, cloud, store):
    """What Lambda took from S3 must be what was built."""
    one, two = cloud.package("one"), cloud.package("two")
    cloud.client("s3").put_object(Bucket=BUCKET, Key="x.zip", Body=two.path.read_bytes())
    tampered = artifacts.Artifact(BUCKET, "x.zip", None, one.sha256)
    with pytest.raises(OurError, match="other bytes than the package"):
        functions.deploy(aws, "Store", tampered, COMMIT_A, watch=lambda: None, say=print)
    assert published(cloud) == []


def test_a_worker_that_must_stop_stops_between_polls(deploy, store, strict):
    """`watch` ends the wait at once."""
    strict.update_seconds = 60

    def stop():
        raise StoppedError

    with pytest.raises(StoppedError):
        deploy(watch=stop)
    assert strict.calls["PublishVersion"] == 0


def test_the_revision_is_read_afresh_for_each_write(deploy, store, strict):
    """Update and publish bear different revision ids, neither of them an answer's."""
    strict.update_seconds = 0.3
    deploy()
    sent = [r.json["RevisionId"] for r in strict.requests if r.operation in WRITES]
    assert len(set(sent)) == 2


def test_the_version_of_the_object_is_pinned(deploy, cloud, store, strict):
    """In a versioned bucket Lambda is told which version to take."""
    cloud.client("s3").put_bucket_versioning(
        Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"}
    )
    deploy()
    (update,) = (r for r in strict.requests if r.operation == "UpdateFunctionCode")
    assert update.json["S3ObjectVersion"]


def test_a_versions_commit_is_its_description(aws, deploy, cloud, store):
    """Versions that people published by hand, and $LATEST, bear none."""
    deploy()
    client = cloud.client("lambda")
    client.update_function_configuration(FunctionName="Store", MemorySize=1024)
    client.publish_version(FunctionName="Store", Description="hotfix")
    assert functions.version_commit(aws, "Store", "1") == COMMIT_A
    assert functions.version_commit(aws, "Store", "2") is None
    assert functions.version_commit(aws, "Store", "$LATEST") is None
    listed = [(v.number, v.commit) for v in functions.versions(aws, "Store")]
    assert listed == [("1", COMMIT_A), ("2", None)]
