"""API Gateway: stages follow environments, and each alias lets the API in."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.aws.conftest import REGION
from workers.aws import gateway
from workers.aws.gateway import Api, permit_alias, prepare_stage
from workers.ledger.model.errors import OurError, PassingError

ACCOUNT = "123456789012"


@pytest.fixture
def client(cloud):
    """API Gateway without the proxy."""
    return cloud.client("apigateway")


@pytest.fixture
def api(client):
    """A REST API with one method, and no stage."""
    made = client.create_rest_api(name="movies")["id"]
    (root,) = client.get_resources(restApiId=made)["items"]
    place = {"restApiId": made, "resourceId": root["id"], "httpMethod": "GET"}
    client.put_method(**place, authorizationType="NONE")
    client.put_method_response(**place, statusCode="200")
    client.put_integration(**place, type="MOCK", requestTemplates={"application/json": "{}"})
    return Api(made, "production", "live")


@pytest.fixture
def function(cloud):
    """A function with the alias `live`."""
    name = cloud.function("Store")
    lambda_ = cloud.client("lambda")
    version = lambda_.publish_version(FunctionName=name)["Version"]
    lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    return name


def stage(client, api):
    """The environment's stage."""
    return client.get_stage(restApiId=api.id, stageName=api.stage)


def statements(cloud, function, alias="live"):
    """The policy of an alias."""
    try:
        text = cloud.client("lambda").get_policy(FunctionName=function, Qualifier=alias)["Policy"]
    except ClientError:
        return []
    return json.loads(text)["Statement"]


def quiet(_line):
    """Nobody listens."""


def test_a_missing_stage_is_made_with_a_deployment(aws, client, api):
    """The first deployment is made for it, and its variable names the alias."""
    said = []
    assert prepare_stage(aws, api, said.append)
    (deployment,) = client.get_deployments(restApiId=api.id)["items"]
    assert stage(client, api)["deploymentId"] == deployment["id"]
    assert stage(client, api)["variables"] == {"environment": "live"}
    assert said


def test_a_stage_takes_the_deployment_that_is_there(aws, client, api):
    """An API that is deployed is not deployed again."""
    made = client.create_deployment(restApiId=api.id)["id"]
    prepare_stage(aws, api, quiet)
    assert stage(client, api)["deploymentId"] == made
    assert len(client.get_deployments(restApiId=api.id)["items"]) == 1


def test_other_settings_of_a_stage_are_left_alone(aws, client, api):
    """Only our own variable is written."""
    deployment = client.create_deployment(restApiId=api.id)["id"]
    client.create_stage(
        restApiId=api.id,
        stageName=api.stage,
        deploymentId=deployment,
        description="theirs",
        tracingEnabled=True,
        variables={"environment": "old", "table": "movies"},
    )
    assert prepare_stage(aws, api, quiet)
    found = stage(client, api)
    assert found["variables"] == {"environment": "live", "table": "movies"}
    assert (found["description"], found["tracingEnabled"]) == ("theirs", True)


def test_a_stage_that_is_right_costs_one_call(aws, api, strict):
    """Nothing is written where nothing differs."""
    prepare_stage(aws, api, quiet)
    before = len(strict.requests)
    assert not prepare_stage(aws, api, quiet)
    assert [one.method for one in strict.requests[before:]] == ["GET"]


def test_an_api_that_is_missing_is_the_operators_turn(aws, cloud):
    """The error says where its id is to be corrected."""
    with pytest.raises(OurError, match="correct `rest_api`"):
        prepare_stage(aws, Api("nosuchapi", "production", "live"), quiet)


def test_an_api_without_methods_is_the_operators_turn(aws, client):
    """It can't be deployed before terraform has filled it."""
    empty = client.create_rest_api(name="empty")["id"]
    with pytest.raises(OurError):
        prepare_stage(aws, Api(empty, "production", "live"), quiet)


def test_a_conflict_is_tried_again(aws, client, api, strict, monkeypatch):
    """Somebody else at the same API is waited for, and not for ever."""
    monkeypatch.setattr(gateway, "PAUSE", 0.01)
    conflict = {"status": 409, "headers": {"x-amzn-ErrorType": "ConflictException"}}
    strict.fail_next("GetObject", 2, **conflict)
    assert prepare_stage(aws, api, quiet)
    strict.fail_next("GetObject", 5, **conflict)
    with pytest.raises(PassingError):
        prepare_stage(aws, api, quiet)


def test_an_alias_lets_the_api_in(aws, cloud, api, function):
    """The statement has a name that can be told beforehand, and lets in this API alone."""
    assert permit_alias(aws, api, function) is True
    (statement,) = statements(cloud, function)
    assert statement["Sid"] == api.statement_id == f"slipway-{api.id}-production-live"
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert statement["Resource"].endswith(":function:Store:live")
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.id}/*"
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": source}}


def test_a_permission_that_is_there_is_not_added(aws, cloud, api, function, strict):
    """Neither ours nor terraform's own for the whole API."""
    permit_alias(aws, api, function)
    before = len(strict.requests)
    assert permit_alias(aws, api, function) is False
    assert len(strict.requests) == before + 1
    cloud.client("lambda").add_permission(
        FunctionName=function,
        Qualifier="live",
        StatementId="terraform",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:other/*/*",
    )
    assert permit_alias(aws, Api("other", "production", "live"), function) is False


def test_each_alias_has_its_own(aws, cloud, api, function):
    """What one alias allows, another does not."""
    lambda_ = cloud.client("lambda")
    lambda_.create_alias(FunctionName=function, Name="next", FunctionVersion="1")
    permit_alias(aws, api, function)
    assert permit_alias(aws, Api(api.id, "staging", "next"), function) is True


def test_an_alias_that_is_not_there_yet_is_told(aws, cloud, api):
    """The permission has to wait for it."""
    cloud.function("Loader")
    assert permit_alias(aws, api, "Loader") is None


def test_an_answer_lost_after_the_change_is_absorbed(aws, cloud, api, function, strict):
    """Botocore's repetition meets the statement that the first attempt made."""
    strict.fail_next("?", cut_after_success=True)
    strict.fail_next("?", cut_after_success=True)
    assert permit_alias(aws, api, function) in (True, False)
    assert [one["Sid"] for one in statements(cloud, function)] == [api.statement_id]


def test_our_name_with_another_meaning_is_refused(aws, cloud, api, function):
    """Somebody who made a narrower statement of our name is told to remove it."""
    cloud.client("lambda").add_permission(
        FunctionName=function,
        Qualifier="live",
        StatementId=api.statement_id,
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
    )
    with pytest.raises(OurError, match="remove-permission"):
        permit_alias(aws, api, function)


def test_long_names_give_short_ids():
    """A statement's id has 100 characters at most, and differs where stage or alias do."""
    one = Api("a1b2c3", "s" * 128, "x" * 128)
    other = Api("a1b2c3", "s" * 128, "y" * 128)
    assert len(one.statement_id) <= 100
    assert one.statement_id != other.statement_id
