"""AWS's API in a process of its own, by moto, over real HTTP.

Where moto 5.2.5 is more lenient than AWS (measured), so that a guard of ours passes here unseen
unless a test looks at what was sent:

Lambda
- RevisionId: ignored by UpdateFunctionCode, PublishVersion and UpdateAlias; functions have none;
  an alias's is made with the alias and never changes.
- PublishVersion ignores CodeSha256. Publishing twice without a change in between gives a second
  version if the function had none before; AWS gives the same version back.
- UpdateFunctionCode with a key that is not in the bucket answers 200 with an empty CodeSha256, and
  with a bucket that does not exist 500; AWS answers InvalidParameterValueException to both.
  DryRun is obeyed.
- State is always Active and LastUpdateStatus Successful: nothing is ever in progress.
- ListVersionsByFunction does not page, and gives an unknown function an empty list, not a 404.
- A deleted version's number is given again; a version that an alias names can be deleted.
- RoutingConfig is stored as sent; `{"AdditionalVersionWeights": {}}` comes back as it is.
- Alias names of digits only are taken. Invoke runs the function in Docker, through DOCKER_HOST.

S3
- If-None-Match: * works for PutObject (412) and is ignored by CopyObject.
- A wrong ChecksumSHA256 is taken. One is stored, and told by HeadObject, only if
  ChecksumAlgorithm was sent as well; CopyObject passes it on.
"""

import io
import json
import sys
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import requests
from botocore.exceptions import ClientError

from local.ports import HOST, free_port
from local.process import Process, wait_for_http

REGION = "eu-west-3"
ROLE = "slipway-functions"
EPOCH = (1980, 1, 1, 0, 0, 0)


class AwsStandIn:
    """moto's server on 127.0.0.1 and what tests ask of it."""

    def __init__(self, port: int | None = None, *, log: Path, docker_host: str = "") -> None:
        self.port = port or free_port()
        self.url = f"http://{HOST}:{self.port}"
        command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self.port)]
        env = {"MOTO_PORT": str(self.port), **self.environment()}
        if docker_host:
            env["DOCKER_HOST"] = docker_host
        self._process = Process(command, log, env=env)
        self._clients: dict[str, Any] = {}

    def launch(self) -> Self:
        """Start it, without waiting; `start` waits."""
        self._process.start()
        return self

    def start(self) -> Self:
        """Start it, if it is not yet, and wait until it answers."""
        if not self._process.running:
            self.launch()
        wait_for_http(self._process, f"{self.url}/moto-api/", seconds=60)
        return self

    def stop(self) -> None:
        """End it; all that it held is gone."""
        self._process.kill()

    def environment(self) -> dict[str, str]:
        """What makes boto3 in any process talk to this stand-in."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "stand-in",
            "AWS_SECRET_ACCESS_KEY": "stand-in",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        """A boto3 client of this stand-in, kept for the next call."""
        if service not in self._clients:
            session: Any = boto3.session.Session()
            self._clients[service] = session.client(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id="stand-in",
                aws_secret_access_key="stand-in",
            )
        return self._clients[service]

    def reset(self) -> None:
        """Forget everything."""
        requests.post(f"{self.url}/moto-api/reset", timeout=10).raise_for_status()

    def create_bucket(self, name: str) -> str:
        """Make a bucket in the stand-in's region."""
        where = {"LocationConstraint": REGION}
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)
        return name

    def create_function(
        self,
        name: str,
        runtime: str = "python3.11",
        handler: str = "index.lambda_handler",
        *,
        variables: dict[str, str] | None = None,
    ) -> str:
        """Make a function with a role and a placeholder package; returns its ARN."""
        answer = self.client("lambda").create_function(
            FunctionName=name,
            Runtime=runtime,
            Handler=handler,
            Role=self._role(),
            Code={"ZipFile": placeholder()},
            Environment={"Variables": variables or {}},
        )
        return str(answer["FunctionArn"])

    def create_queue(self, name: str) -> str:
        """Make an SQS queue; returns its URL."""
        return str(self.client("sqs").create_queue(QueueName=name)["QueueUrl"])

    def alias(self, function: str, alias: str) -> dict[str, Any] | None:
        """The alias as AWS reports it; None if there is none."""
        with suppress(self.client("lambda").exceptions.ResourceNotFoundException):
            answer = self.client("lambda").get_alias(FunctionName=function, Name=alias)
            return _plain(answer)
        return None

    def versions(self, function: str) -> list[dict[str, Any]]:
        """The published versions' configurations, oldest first, without `$LATEST`."""
        pages = self.client("lambda").get_paginator("list_versions_by_function")
        found = [v for page in pages.paginate(FunctionName=function) for v in page["Versions"]]
        return [version for version in found if version["Version"] != "$LATEST"]

    def latest(self, function: str) -> dict[str, Any]:
        """The configuration of `$LATEST`."""
        return _plain(self.client("lambda").get_function_configuration(FunctionName=function))

    def objects(self, bucket: str) -> list[str]:
        """The bucket's keys, sorted."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return sorted(item["Key"] for page in pages for item in page.get("Contents", ()))

    def read(self, bucket: str, key: str) -> bytes:
        """One object's bytes."""
        return bytes(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def files(self, bucket: str, key: str) -> Sequence[str]:
        """The names in one package."""
        with zipfile.ZipFile(io.BytesIO(self.read(bucket, key))) as package:
            return package.namelist()

    def _role(self) -> str:
        policy = json.dumps({"Version": "2012-10-17", "Statement": []})
        iam = self.client("iam")
        with suppress(ClientError):
            iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=policy)
        return str(iam.get_role(RoleName=ROLE)["Role"]["Arn"])

    def __enter__(self) -> Self:
        return self if self._process.running else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def placeholder() -> bytes:
    """A package that no build makes: the code of a function before its first deployment."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        package.writestr(zipfile.ZipInfo("placeholder.txt", EPOCH), "nothing deployed yet\n")
    return stream.getvalue()


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}
