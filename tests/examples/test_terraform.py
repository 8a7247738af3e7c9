"""The watchlist's Terraform makes what Slipway deploys to, and leaves alone what Slipway owns."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import World
from tests.examples.conftest import copy
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.github import TOKEN, GitHub
from tests.stand_ins.slipway import SECRET, Slipway
from tests.stand_ins.watchlist import FOLDER as WATCHLIST
from tests.stand_ins.watchlist import tracked

FOLDER = WATCHLIST / "terraform"
ENVIRONMENTS = {"sandbox", "staging", "production"}
BUCKET = "deployment-packages-watchlist"
SITE = "marketplace.example.com"
STORE = {
    "MoviesStoreAddToFavorites",
    "MoviesStoreListMovies",
    "MoviesStoreSearchMovie",
    "MoviesStoreViewFavorites",
}
FUNCTIONS = {"MoviesLoader", "MoviesParser", *STORE}
REPOSITORIES = ("movies-loader", "movies-parser", "movies-store", "marketplace")
# Where the provider may lie, unpacked: TF_PLUGIN_MIRROR, Terraform's own folders, this machine's.
MIRRORS = (
    os.environ.get("TF_PLUGIN_MIRROR", ""),
    "/usr/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "~/.terraform.d/plugins",
    "/opt/tf-plugins",
)
MIRROR = "provider_installation {{\n  filesystem_mirror {{\n    path = {}\n  }}\n}}\n"
# Read by Terraform beside the provider's own block, which says nothing of stand-ins.
OVERRIDE = """provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
}
"""
# What moto 5.2.5 reads back otherwise than AWS: a mapping's alias as the version that it points to,
# and a redrive policy with other blanks.
MOTOS = {"aws_lambda_event_source_mapping.films", "aws_sqs_queue.films"}
OPERATOR = """
[environments.sandbox]
branch = "develop"

[[repositories]]
name = "watchlist/*"
functions = ["Movies*"]
bucket = "{bucket}"
sites = ["{site}"]

[[repositories]]
name = "watchlist/movies-store"
functions = ["MoviesStore*"]
bucket = "{bucket}"
rest_api = "{rest_api}"
"""

pytestmark = [
    pytest.mark.skipif(not shutil.which("terraform"), reason="there is no terraform here"),
    pytest.mark.soak,
    pytest.mark.timeout(900),
]


def mirror():
    """The folder in which the AWS provider lies, or None."""
    for name in filter(None, MIRRORS):
        folder = Path(name).expanduser()
        if any(folder.glob("*/hashicorp/aws")):
            return folder
    return None


class Terraform:
    """A copy of the example's configuration, against the AWS stand-in."""

    def __init__(self, folder, aws, providers):
        self.folder = copy("terraform", folder / "terraform")
        (self.folder / "stand_in_override.tf").write_text(OVERRIDE)
        settings = folder / "terraform.rc"
        settings.write_text(MIRROR.format(json.dumps(str(providers))))
        self.environment = {
            **os.environ,
            **aws.environment(),
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(settings),
            "TF_IN_AUTOMATION": "1",
        }
        self.run("init", "-backend=false", "-input=false")

    def run(self, *arguments):
        """Run a command to its end; what it printed."""
        done = subprocess.run(
            ["terraform", *arguments, "-no-color"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
        return done.stdout

    def apply(self):
        """Make everything."""
        self.run("apply", "-auto-approve", "-input=false")

    def outputs(self):
        """The outputs by name."""
        return {name: one["value"] for name, one in json.loads(self.run("output", "-json")).items()}

    def pending(self):
        """What another apply would do: each resource that would change, with how."""
        self.run("plan", "-input=false", "-out=the.plan")
        changes = json.loads(self.run("show", "-json", "the.plan"))["resource_changes"]
        found = {one["address"]: one["change"]["actions"] for one in changes}
        return {address: actions for address, actions in found.items() if actions != ["no-op"]}


@pytest.fixture(scope="module")
def aws(tmp_path_factory, docker_host):
    """An AWS of its own, for making everything takes a while."""
    log = tmp_path_factory.mktemp("aws") / "moto.log"
    with AwsStandIn(log=log, docker_host=docker_host) as server:
        yield server


@pytest.fixture(scope="module")
def terraform(aws, tmp_path_factory):
    """The configuration, applied once."""
    providers = mirror()
    if providers is None:
        pytest.skip("there is no folder with the AWS provider here; TF_PLUGIN_MIRROR names one")
    made = Terraform(tmp_path_factory.mktemp("terraform"), aws, providers)
    made.apply()
    return made


def test_it_is_formatted():
    """`terraform fmt` would change nothing."""
    command = ["terraform", "fmt", "-check", "-recursive", "-diff", "."]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_makes_the_watchlist(terraform, aws):
    """Functions with three aliases, the API with its stages, buckets, tables and the queue."""
    assert json.loads(terraform.run("validate", "-json"))["diagnostics"] == []
    outputs = terraform.outputs()
    assert set(outputs["functions"]) == FUNCTIONS
    for function in FUNCTIONS:
        aliases = aws.client("lambda").list_aliases(FunctionName=function)["Aliases"]
        found = {alias["Name"]: alias["FunctionVersion"] for alias in aliases}
        assert found == dict.fromkeys(ENVIRONMENTS, "1")
    assert_api(aws, outputs["rest_api"])
    buckets = {bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]}
    assert buckets == {BUCKET, SITE}
    tables = set(aws.client("dynamodb").list_tables()["TableNames"])
    assert tables == {"movies", *(f"favorites-{name}" for name in ENVIRONMENTS)}
    (mapping,) = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert set(terraform.pending()) <= MOTOS


def assert_api(aws, rest_api):
    """Every method invokes the alias that the stage names."""
    gateway = aws.client("apigateway")
    stages = gateway.get_stages(restApiId=rest_api)["item"]
    variables = {stage["stageName"]: stage["variables"]["environment"] for stage in stages}
    assert variables == {name: name for name in ENVIRONMENTS}
    uris = []
    for resource in gateway.get_resources(restApiId=rest_api)["items"]:
        for method in resource.get("resourceMethods", {}):
            where = {"restApiId": rest_api, "resourceId": resource["id"], "httpMethod": method}
            if uri := gateway.get_integration(**where).get("uri"):
                uris.append(uri)
    assert len(uris) == len(STORE)
    for function in STORE:
        ending = f":function:{function}:${{stageVariables.environment}}/invocations"
        assert sum(uri.endswith(ending) for uri in uris) == 1, uris


@pytest.mark.usefixtures("terraform")
def test_roles_may_do_what_is_needed(aws):
    """Each function has a role of its own, without wildcards among actions or whole resources."""
    iam = aws.client("iam")
    allowed = {}
    for function in FUNCTIONS:
        role = f"watchlist-{function}"
        assert aws.latest(function)["Role"].endswith(f":role/{role}")
        policy = iam.get_role_policy(RoleName=role, PolicyName="allowed")["PolicyDocument"]
        for statement in policy["Statement"]:
            for resource in as_list(statement["Resource"]):
                assert resource.startswith("arn:aws:")
                assert resource.endswith(f"/aws/lambda/{function}:*") or "*" not in resource
            actions = as_list(statement["Action"])
            assert not any("*" in action for action in actions)
            allowed.setdefault(function, set()).update(actions)
    own = {name: {a for a in found if not a.startswith("logs:")} for name, found in allowed.items()}
    assert own["MoviesLoader"] == {"sqs:SendMessage"}
    assert own["MoviesStoreListMovies"] == {"dynamodb:Scan"}
    assert own["MoviesStoreAddToFavorites"] == {"dynamodb:GetItem", "dynamodb:PutItem"}


def as_list(value):
    """One or many, as many."""
    return value if isinstance(value, list) else [value]


@pytest.mark.e2e
@pytest.mark.usefixtures("redis")
def test_slipway_deploys_onto_it(terraform, aws, redis_server, base_images, tmp_path):
    """A push of each repository moves its functions' aliases, and Terraform leaves them there."""
    outputs = terraform.outputs()
    operator = OPERATOR.format(bucket=BUCKET, site=SITE, rest_api=outputs["rest_api"])
    with GitHub(tmp_path / "github") as github:
        environment = {
            "REDIS_URL": redis_server.url,
            "GITHUB_API_URL": github.api_url,
            "GITHUB_TOKEN": TOKEN,
            "DOCKER_HOST": base_images,
            "SLIPWAY_SWEEP_SECONDS": "1",
            **aws.environment(),
        }
        with Slipway(tmp_path / "slipway", operator, environment) as slipway:
            slipway.start()
            world = World(github, aws, slipway)
            commits = push_all(world)
            for repository, commit in commits.items():
                ended(world, repository, commit)
    assert_deployed(aws, outputs["rest_api"], commits)
    assert set(terraform.pending()) <= MOTOS


def push_all(world):
    """Push every repository to develop at once; the commits."""
    commits = {}
    for name in REPOSITORIES:
        repository = f"watchlist/{name}"
        world.github.create_repository(repository, default_branch="develop")
        world.github.add_hook(repository, f"{world.slipway.url}/webhooks/github", SECRET)
        commits[name] = world.push(tracked(WATCHLIST / name), repository=repository)
    return commits


def ended(world, name, commit):
    """Wait for the run of a commit, which must succeed."""
    run = world.ended(commit, seconds=600, repository=f"watchlist/{name}")
    assert run["state"] == "succeeded", world.story(run)


def assert_deployed(aws, rest_api, commits):
    """The sandbox runs the commits, the other environments what they ran before."""
    for function in FUNCTIONS:
        repository = "movies-store" if function in STORE else f"movies-{function[6:].lower()}"
        versions = {one["Version"]: one["Description"] for one in aws.versions(function)}
        assert versions[aws.alias(function, "sandbox")["FunctionVersion"]] == commits[repository]
        assert aws.alias(function, "staging")["FunctionVersion"] == "1"
        assert aws.alias(function, "production")["FunctionVersion"] == "1"
        assert f"{function}/{commits[repository]}.zip" in aws.objects(BUCKET)
    for function in STORE:
        policy = aws.client("lambda").get_policy(FunctionName=function, Qualifier="sandbox")
        assert rest_api in policy["Policy"]
    pages = [key for key in aws.objects(SITE) if key.endswith("index.html")]
    assert pages == ["sandbox/index.html"]
