"""Two AWS accounts with the same region, function and alias: the usual set-up of dev and prod."""

import time

import boto3
import pytest
import requests

from tests.e2e.conftest import FUNCTION, REPOSITORY, World, small
from tests.stand_ins.aws import REGION, placeholder
from tests.stand_ins.github import TOKEN
from tests.stand_ins.slipway import ROOT, SECRET, Slipway
from tests.stand_ins.slipway import TOKEN as WORD

pytestmark = pytest.mark.e2e
DEV, PROD = "111111111111", "222222222222"
OPERATOR = """
[environments.dev]
branch = "develop"
alias = "live"
bucket = "packages-dev"
aws = { role_arn = "arn:aws:iam::111111111111:role/deploy" }

[environments.prod]
branch = "master"
alias = "live"
bucket = "packages-prod"
aws = { role_arn = "arn:aws:iam::222222222222:role/deploy" }
%s

[[repositories]]
name = "watchlist/*"
functions = ["Movies*"]
"""


def client(aws, number, service):
    """A client of one account, by its role."""
    role = f"arn:aws:iam::{number}:role/deploy"
    got = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="tests")["Credentials"]
    return boto3.client(
        service,
        endpoint_url=aws.url,
        region_name=REGION,
        aws_access_key_id=got["AccessKeyId"],
        aws_secret_access_key=got["SecretAccessKey"],
        aws_session_token=got["SessionToken"],
    )


def account(aws, number, bucket):
    """An account with a bucket and one function; its Lambda client."""
    trust = '{"Version": "2012-10-17", "Statement": []}'
    client(aws, number, "iam").create_role(RoleName="fn", AssumeRolePolicyDocument=trust)
    where = {"LocationConstraint": REGION}
    client(aws, number, "s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    lam = client(aws, number, "lambda")
    lam.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.11",
        Handler="index.lambda_handler",
        Role=f"arn:aws:iam::{number}:role/fn",
        Code={"ZipFile": placeholder()},
    )
    return lam


@pytest.fixture
def start(tmp_path, github, aws, redis, redis_server, docker_host, python_image):
    """Start a Slipway for both accounts; more rules of prod, and variables, are arguments."""
    made = []

    def go(more="", root=ROOT, port=None, folder="slipway", hook=True, **variables):
        env = {
            "REDIS_URL": redis_server.url,
            "GITHUB_API_URL": github.api_url,
            "GITHUB_TOKEN": TOKEN,
            "DOCKER_HOST": docker_host,
            "SLIPWAY_LEASE_SECONDS": "3",
            "SLIPWAY_SWEEP_SECONDS": "1",
            **aws.environment(),
            **variables,
        }
        slipway = Slipway(tmp_path / folder, OPERATOR % more, env, port, root=root)
        made.append(slipway)
        if hook:
            github.add_hook(REPOSITORY, f"{slipway.url}/webhooks/github", SECRET)
        slipway.start()
        return World(github, aws, slipway)

    yield go
    for one in made:
        one.stop()


def version(lam):
    """What the alias runs in one account."""
    return lam.get_alias(FunctionName=FUNCTION, Name="live")["FunctionVersion"]


def to_master(world, commit):
    """Release a commit to prod as well; its run."""
    world.github.set_branch(REPOSITORY, "master", commit)
    world.github.push_event(REPOSITORY, "master")
    return world.run_of(commit, environment="prod")


def test_a_release_to_dev_is_no_drift_of_prod(start, aws):
    """The same function and alias in another account is another place."""
    account(aws, DEV, "packages-dev")
    account(aws, PROD, "packages-prod")
    world = start()
    one = world.push(small(index__py="A = 1\n"))
    world.ended(one, environment="dev")
    to_master(world, one)
    world.ended(one, environment="prod")
    two = world.push(small(index__py="A = 2\n"))
    world.ended(two, environment="dev")
    to_master(world, two)
    run = world.ended(two, environment="prod")
    assert "by hand" not in world.slipway.log(run["id"])


def test_a_repair_in_prod_does_not_release_what_nobody_approved(start, aws):
    """What went live in dev is no record of what prod should run."""
    account(aws, DEV, "packages-dev")
    prod = account(aws, PROD, "packages-prod")
    rules = 'approval = { required = 1, timeout = "2h" }\ndrift = "repair"'
    world = start(rules, SLIPWAY_POLL_SECONDS="4")

    def waits(commit):
        run, end = to_master(world, commit), time.monotonic() + 90
        while world.slipway.run(run["id"])["state"] != "waiting":
            assert time.monotonic() < end, world.story(run)
            time.sleep(0.2)
        return run

    one = world.push(small(index__py="A = 1\n"))
    world.ended(one, environment="dev")
    run = waits(one)
    requests.post(
        f"{world.slipway.url}/api/v1/runs/{run['id']}/approve",
        json={},
        headers={"Authorization": f"Bearer {WORD}"},
        timeout=10,
    )
    world.ended(one, environment="prod")
    assert version(prod) == "1"
    two = world.push(small(index__py="A = 2\n"))
    world.ended(two, environment="dev")
    run = waits(two)
    time.sleep(15)  # Three polls.
    assert world.slipway.run(run["id"])["state"] == "waiting"
    assert version(prod) == "1", "production runs what nobody has approved"
