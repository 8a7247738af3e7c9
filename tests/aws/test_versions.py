"""Old versions: what leads to them is known, and only a numbered one is ever deleted."""

import pytest

from tests.aws.conftest import COMMIT_A
from workers.aws import versions
from workers.aws.faults import ChangedError
from workers.ledger.model.errors import UserError


@pytest.fixture
def client(cloud):
    """Lambda, past the proxy; the function Store has versions 1 to 3."""
    cloud.function("Store")
    client = cloud.client("lambda")
    for text in ("one", "two", "three"):
        code = cloud.package(text).path.read_bytes()
        client.update_function_code(FunctionName="Store", ZipFile=code)
        client.publish_version(FunctionName="Store", Description=COMMIT_A)
    return client


def test_weights_lead_to_a_version_as_aliases_do(aws, client):
    """Every alias counts, and each version that gets a share of its requests."""
    client.create_alias(FunctionName="Store", Name="sandbox", FunctionVersion="3")
    routing = {"AdditionalVersionWeights": {"1": 0.1}}
    client.create_alias(
        FunctionName="Store", Name="by-hand", FunctionVersion="2", RoutingConfig=routing
    )
    assert versions.pointed_at(aws, "Store") == {"sandbox": {"3"}, "by-hand": {"1", "2"}}


def test_a_function_without_aliases_has_none(aws, client):
    """No alias, nothing that leads anywhere."""
    assert versions.pointed_at(aws, "Store") == {}


def test_aliases_of_a_function_that_is_not_there(aws, cloud):
    """The missing function is named."""
    with pytest.raises(UserError, match="Nowhere"):
        versions.pointed_at(aws, "Nowhere")


def test_one_version_is_deleted(aws, cloud, client):
    """The others and $LATEST stay; once more is fine."""
    for _ in range(2):
        versions.delete(aws, "Store", "2")
    assert [number for number, _ in cloud.versions("Store")] == ["1", "3"]
    assert cloud.moto.latest("Store")["Version"] == "$LATEST"


@pytest.mark.parametrize("version", ["", "$LATEST", "sandbox", "1:2", "*", "-1", "¹"])
def test_what_is_no_number_is_never_deleted(aws, client, strict, version):
    """Without a number AWS would delete the function, and nobody is asked."""
    with pytest.raises(ValueError, match="no number"):
        versions.delete(aws, "Store", version)
    assert strict.calls["DeleteFunction"] == 0


def test_a_version_that_an_alias_leads_to_stays(aws, cloud, client):
    """AWS refuses it, which is a change since we looked and nobody's fault."""
    client.create_alias(FunctionName="Store", Name="sandbox", FunctionVersion="2")
    with pytest.raises(ChangedError, match="something leads to it"):
        versions.delete(aws, "Store", "2")
    assert len(cloud.versions("Store")) == 3


def test_the_room_for_code_is_known(aws, strict):
    """Bytes used, bytes allowed, and the share."""
    strict.code_storage = (60, 80)
    found = versions.storage(aws)
    assert (found.used, found.limit, found.share) == (60, 80, 0.75)
