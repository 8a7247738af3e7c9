"""A site and a function behind an API, from a push to what users see."""

import json
import time

import pytest
import requests

from tests.e2e.conftest import BUCKET, FUNCTION, OPERATOR, REPOSITORY, World, small
from tests.stand_ins.github import TOKEN
from tests.stand_ins.slipway import SECRET, Slipway
from tests.stand_ins.slipway import TOKEN as WORD

pytestmark = pytest.mark.e2e

SITE = "marketplace.example.com"
ASSET = "assets/main-5QYBUMXV.js"
DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /app\nCOPY . ./\n"
PIPELINE = f"""
[site]
bucket = "{SITE}"
path = "/app/dist"
"""
BOTH = f"""
[functions.{FUNCTION}]
runtime = "python3.11"
handler = "index.lambda_handler"
include = ["index.py"]
{PIPELINE}"""


def site(page="one", pipeline=PIPELINE, **changes):
    """A repository with a site."""
    files = {
        "Dockerfile": DOCKERFILE,
        "Dockerfile__test": None,
        "slipway__toml": pipeline,
        "dist/index__html": f"<p>{page}",
        f"dist/{ASSET}".replace(".", "__"): "1",
    }
    return small(**files | changes)


@pytest.fixture
def api(aws):
    """An API with one method."""
    client = aws.client("apigateway")
    made = client.create_rest_api(name="movies")["id"]
    (root,) = client.get_resources(restApiId=made)["items"]
    place = {"restApiId": made, "resourceId": root["id"], "httpMethod": "GET"}
    client.put_method(**place, authorizationType="NONE")
    client.put_integration(**place, type="MOCK", requestTemplates={"application/json": "{}"})
    return made


@pytest.fixture
def world(tmp_path, github, aws, redis, redis_server, docker_host, python_image, api):
    """Everything in place, with an operator who allows the site and names the API."""
    gated = OPERATOR.replace('"master"', '"master"\napproval = { required = 1 }')
    operator = f'{gated}sites = ["{SITE}"]\nrest_api = "{api}"\n'
    environment = {
        "REDIS_URL": redis_server.url,
        "GITHUB_API_URL": github.api_url,
        "GITHUB_TOKEN": TOKEN,
        "DOCKER_HOST": docker_host,
        "SLIPWAY_LEASE_SECONDS": "3",
        "SLIPWAY_SWEEP_SECONDS": "1",
        **aws.environment(),
    }
    for bucket in (BUCKET, SITE):
        aws.create_bucket(bucket)
    aws.create_function(FUNCTION)
    with Slipway(tmp_path / "slipway", operator, environment) as slipway:
        github.add_hook(REPOSITORY, f"{slipway.url}/webhooks/github", SECRET)
        slipway.start()
        yield World(github, aws, slipway)


def test_a_push_becomes_a_live_site(world):
    """Pages and assets lie under the environment's name, with their headers and their manifest."""
    commit = world.push(site())
    run = world.ended(commit)
    assert run["state"] == "succeeded", world.story(run)
    assert world.aws.read(SITE, "sandbox/index.html") == b"<p>one"
    head = world.aws.client("s3").head_object
    assert head(Bucket=SITE, Key="sandbox/index.html")["CacheControl"] == "no-cache"
    assert "immutable" in head(Bucket=SITE, Key=f"sandbox/{ASSET}")["CacheControl"]
    assert f"slipway/sites/sandbox/{commit}.json" in world.aws.objects(SITE)
    assert world.statuses(commit)["slipway/deploy/sandbox"] == "success"

    second = world.push(site("two"))
    assert world.ended(second)["state"] == "succeeded"
    assert world.aws.read(SITE, "sandbox/index.html") == b"<p>two"


def test_the_types_of_the_repositorys_file_are_those_that_s3_serves(world):
    """`types` of [site] in slipway.toml, by extension, name and path; without it our own table."""
    names = ("song.m4a", "about", "en/about", "notes.page")
    files = {f"dist/{name}".replace(".", "__"): "<b>words" for name in names}
    lines = {
        ".m4a": "audio/x-own",
        "about": "text/html",
        "en/about": "text/markdown",
        ".page": "text/html; charset=latin1",
    }
    table = ", ".join(f'"{name}" = "{kind}"' for name, kind in lines.items())

    def served():
        head = world.aws.client("s3").head_object
        return [head(Bucket=SITE, Key=f"sandbox/{name}")["ContentType"] for name in names]

    run = world.ended(world.push(site(**files)))
    assert run["state"] == "succeeded", world.story(run)
    ours = served()
    assert ours[0] == "audio/mp4"
    run = world.ended(world.push(site(pipeline=f"{PIPELINE}types = {{ {table} }}\n", **files)))
    assert run["state"] == "succeeded", world.story(run)
    assert served() == [
        "audio/x-own",
        "text/html; charset=utf-8",
        "text/markdown; charset=utf-8",
        "text/html; charset=latin1",
    ]
    assert "5 of 6 files" not in world.story(run), "the bytes are those that S3 has"
    broken = world.push(site(pipeline=f'{PIPELINE}types = {{ ".m4a" = "audio" }}\n', **files))
    run = world.ended(broken)
    assert (run["state"], run["stages"][0]["state"]) == ("failed", "failed")
    assert "slipway.toml:5: site.types" in run["error"]
    assert served()[0] == "audio/x-own"


def test_a_site_and_its_functions_go_live_together(world, api):
    """Alias, permission, stage and pages all follow the push."""
    commit = world.push(site(pipeline=BOTH))
    run = world.ended(commit)
    assert run["state"] == "succeeded", world.story(run)
    assert world.alias()
    assert world.aws.read(SITE, "sandbox/index.html") == b"<p>one"
    stage = world.aws.client("apigateway").get_stage(restApiId=api, stageName="sandbox")
    assert stage["variables"] == {"environment": "sandbox"}
    lambda_ = world.aws.client("lambda")
    policy = lambda_.get_policy(FunctionName=FUNCTION, Qualifier="sandbox")["Policy"]
    (statement,) = json.loads(policy)["Statement"]
    assert statement["Sid"] == f"slipway-{api}-sandbox-sandbox"


def approve(world, commit):
    """Say yes to a run, once it waits."""
    run = world.run_of(commit)
    until = time.monotonic() + 60
    while run["state"] != "waiting":
        assert time.monotonic() < until, world.story(run)
        time.sleep(0.2)
        run = world.slipway.run(run["id"])
    yield run
    answer = requests.post(
        f"{world.slipway.url}/api/v1/runs/{run['id']}/approve",
        json={},
        headers={"Authorization": f"Bearer {WORD}"},
        timeout=10,
    )
    assert answer.status_code == 202, answer.text
    yield world.ended(commit)


def test_a_site_that_fails_takes_the_aliases_back(world):
    """When the site can't be switched, no function runs the new version either."""
    *_, run = approve(world, world.push(site(pipeline=BOTH), "master"))
    assert run["state"] == "succeeded", world.story(run)
    before = world.alias("production")
    changed = site("two", pipeline=BOTH, index__py="def lambda_handler(e, c): return 2\n")
    steps = approve(world, world.push(changed, "master"))
    next(steps)
    s3 = world.aws.client("s3")
    for key in world.aws.objects(SITE):
        if "/blobs/" in key:
            s3.delete_object(Bucket=SITE, Key=key)
    run = next(steps)
    assert run["state"] == "failed", world.story(run)
    assert "production: back to what it was" in world.slipway.log(run["id"])
    assert world.alias("production") == before
    assert world.aws.read(SITE, "production/index.html") == b"<p>one"


def test_a_bucket_that_is_not_allowed_is_refused(world):
    """The repository can't choose any other bucket, and nothing is touched."""
    world.aws.create_bucket("another.example.com")
    commit = world.push(site(pipeline=PIPELINE.replace(SITE, "another.example.com")))
    run = world.ended(commit)
    assert run["state"] == "failed"
    assert "does not allow" in run["error"]
    assert world.aws.objects("another.example.com") == []


def test_a_link_that_leaves_the_site_is_refused(world):
    """A symbolic link to what lies outside is named, and nothing is published."""
    dockerfile = f"{DOCKERFILE}RUN ln -s /etc/passwd dist/secret.txt\n"
    commit = world.push(site(Dockerfile=dockerfile))
    run = world.ended(commit)
    assert run["state"] == "failed"
    assert "secret.txt" in run["error"]
    assert world.aws.objects(SITE) == []
