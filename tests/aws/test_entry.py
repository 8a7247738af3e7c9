"""Runtime and handler of slipway.toml, and those that a function has."""

import pytest

from tests.aws.conftest import BUCKET, COMMIT_A, COMMIT_B, REGION
from workers.aws import artifacts, functions
from workers.aws.entry import Entry, Function, judge
from workers.aws.session import Aws
from workers.ledger.model.errors import UserError

OURS = Entry("python3.11", "app.main.handle")
LAYER = "arn:aws:lambda:eu-west-3:464622532012:layer:{}:50"


def found(handler="index.lambda_handler", runtime="python3.11", layer="", **variables):
    """A function as AWS shows it."""
    return Function(runtime, handler, (LAYER.format(layer),) if layer else (), variables)


@pytest.mark.parametrize(
    ("theirs", "values"),
    [
        (found(), ("app.main.handle", "index.lambda_handler")),
        (found("app.main.handle", "python3.13"), ("python3.11", "python3.13")),
        (found(layer="shared-things"), ("app.main.handle", "index.lambda_handler")),
        (found(AWS_LAMBDA_EXEC_WRAPPER="/opt/x"), ("app.main.handle", "index.lambda_handler")),
        (found("datadog_lambda.handler.handler"), ("app.main.handle", "datadog_lambda")),
        (found("app.main.handle", "provided.al2023"), ("python3.11", "provided.al2023")),
    ],
)
def test_another_one_is_refused_with_both_values(theirs, values):
    """Also with a layer that wraps nothing, and a wrapper's name without any layer."""
    with pytest.raises(UserError) as caught:
        judge("Store", OURS, theirs)
    assert "terraform" in str(caught.value)
    assert all(value in str(caught.value) for value in ("Store", *values))


@pytest.mark.parametrize(
    "theirs",
    [
        found("datadog_lambda.handler.handler", layer="Datadog-Python311"),
        found("/opt/nodejs/node_modules/datadog-lambda-js/handler.handler", layer="Own"),
        found("newrelic_lambda_wrapper.handler", layer="NewRelicPython311"),
        found("our_wrapper.go", layer="our_wrapper"),
        found("tools.wrap", layer="Tools-of-ours", ORIGINAL_HANDLER="app.main.handle"),
        found(layer="Own", AWS_LAMBDA_EXEC_WRAPPER="/opt/wrap"),
    ],
)
def test_a_wrapper_that_a_layer_brings_is_warned_of(theirs):
    """It calls another handler, which AWS does not tell for certain."""
    warning = judge("Store", OURS, theirs)
    assert warning
    assert theirs.handler in warning
    assert "app.main.handle" in warning


def test_a_custom_runtime_makes_of_a_handler_what_it_likes():
    """Its handler is only warned of."""
    warning = judge("Store", Entry("provided.al2023", "main"), found("x", "provided.al2023"))
    assert "'x'" in (warning or "")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (OURS, found("app.main.handle")),
        (Entry(), found()),
        (Entry(handler="index.lambda_handler"), found()),
        (Entry(runtime="python3.11"), found()),
        (OURS, Function()),
    ],
)
def test_what_is_the_same_or_left_out_passes(ours, theirs):
    """Neither refused nor warned of; nor is what AWS leaves out, as of an image."""
    assert judge("Store", ours, theirs) is None


def test_nothing_is_updated_of_a_function_that_is_entered_another_way(aws, cloud, strict):
    """Refused before the code changes; left out, the same deploy goes through."""
    cloud.function("Store")
    package = cloud.package("one")
    artifact = artifacts.publish(aws, BUCKET, "Store", COMMIT_A, package.path, package.sha256)

    def deploy(entry):
        made = functions.deploy(
            aws, "Store", artifact, COMMIT_A, watch=lambda: None, say=print, entry=entry
        )
        return made.number

    with pytest.raises(UserError, match=r"app\.main\.handle.*index\.lambda_handler"):
        deploy(OURS)
    assert strict.calls["UpdateFunctionCode"] == strict.calls["PublishVersion"] == 0
    assert deploy(Entry()) == "1"


def test_a_version_with_the_handler_of_before_is_not_ours(aws, cloud, strict):
    """The same commit and package under another handler are another version."""
    cloud.function("Store")
    package = cloud.package("one")
    artifact = artifacts.publish(aws, BUCKET, "Store", COMMIT_B, package.path, package.sha256)

    def deploy(handler):
        entry = Entry("python3.11", handler)
        made = functions.deploy(
            aws, "Store", artifact, COMMIT_B, watch=lambda: None, say=print, entry=entry
        )
        return made.number

    assert deploy("index.lambda_handler") == "1"
    sha256 = artifact.sha256
    assert functions.holds(aws, "Store", "1", sha256, Entry(None, "index.lambda_handler"))
    assert not functions.holds(aws, "Store", "1", sha256, Entry(None, "app.main.handle"))
    Aws(REGION, endpoint_url=strict.url).lambda_.update_function_configuration(
        FunctionName="Store", Handler="app.main.handle"
    )
    number = deploy("app.main.handle")
    live = cloud.client("lambda").get_function(FunctionName="Store", Qualifier=number)
    assert (number, live["Configuration"]["Handler"]) == ("2", "app.main.handle")
