"""The AWS stand-in's helpers, and the leniencies of moto that its docstring warns of."""

import subprocess
import sys

import pytest
from botocore.exceptions import ClientError

from tests.stand_ins.aws import AwsStandIn, placeholder


def test_a_function_can_be_made_and_looked_at(aws):
    """A new function has a placeholder, no version and no alias."""
    aws.create_function("MoviesLoader", handler="index.lambda_handler")
    assert aws.latest("MoviesLoader")["Handler"] == "index.lambda_handler"
    assert aws.versions("MoviesLoader") == []
    assert aws.alias("MoviesLoader", "sandbox") is None


def test_versions_and_aliases_are_reported_as_aws_does(aws):
    """What boto3 publishes is what the helpers tell."""
    aws.create_function("MoviesLoader")
    functions = aws.client("lambda")
    functions.publish_version(FunctionName="MoviesLoader", Description="a" * 40)
    functions.create_alias(FunctionName="MoviesLoader", Name="sandbox", FunctionVersion="1")
    assert [(v["Version"], v["Description"]) for v in aws.versions("MoviesLoader")] == [
        ("1", "a" * 40)
    ]
    assert aws.alias("MoviesLoader", "sandbox")["FunctionVersion"] == "1"


def test_objects_are_listed_and_read(aws):
    """Keys come sorted, a package's names and bytes as they were stored."""
    aws.create_bucket("packages")
    for key in ("b.zip", "a.zip"):
        aws.client("s3").put_object(Bucket="packages", Key=key, Body=placeholder())
    assert aws.objects("packages") == ["a.zip", "b.zip"]
    assert aws.read("packages", "a.zip") == placeholder()
    assert aws.files("packages", "a.zip") == ["placeholder.txt"]


def test_each_test_starts_empty(aws):
    """Nothing of the tests above is left."""
    assert aws.client("s3").list_buckets()["Buckets"] == []
    assert aws.client("lambda").list_functions()["Functions"] == []


def test_boto3_in_a_child_process_talks_to_it(aws):
    """The environment is all that a worker needs."""
    aws.create_bucket("packages")
    code = "import boto3; print([b['Name'] for b in boto3.client('s3').list_buckets()['Buckets']])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['packages']"


def test_it_can_be_restarted_at_the_same_address(tmp_path):
    """A test can take AWS away and bring it back, empty, under the same URL."""
    with AwsStandIn(log=tmp_path / "log") as server:
        server.create_bucket("packages")
        server.stop()
        server.start()
        assert server.client("s3").list_buckets()["Buckets"] == []


def test_write_once_is_kept_by_moto(aws):
    """If-None-Match: * refuses the second PutObject, as S3 does."""
    aws.create_bucket("packages")
    s3 = aws.client("s3")
    s3.put_object(Bucket="packages", Key="k", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="packages", Key="k", Body=b"2", IfNoneMatch="*")


def test_moto_ignores_guards_that_aws_keeps(aws):
    """A wrong RevisionId and a wrong CodeSha256 pass; when moto learns them this test says so."""
    aws.create_function("F")
    functions = aws.client("lambda")
    functions.publish_version(FunctionName="F", CodeSha256="d3Jvbmc=")
    functions.create_alias(FunctionName="F", Name="a", FunctionVersion="1")
    functions.update_alias(FunctionName="F", Name="a", FunctionVersion="1", RevisionId="wrong")
    assert aws.alias("F", "a")["FunctionVersion"] == "1"
