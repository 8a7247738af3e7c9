"""The benchmarks' own parts: what is sent is what GitHub sends, and the load arrives."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys

import boto3
import pytest
from botocore.exceptions import ClientError

from benchmarks import answer, deliveries
from benchmarks.measure import percentile, turns
from benchmarks.report import table, verdict
from benchmarks.store import Store


def test_a_delivery_is_signed_json_of_the_promised_size():
    """Each request holds 8 KB of JSON, both signatures of it, and an id and commit of its own."""
    sent = list(deliveries.requests(2, "/webhooks/github", "127.0.0.1"))
    commits = set()
    for request in sent:
        head, _, body = request.partition(b"\r\n\r\n")
        expected = hmac.new(deliveries.SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert f"X-Hub-Signature-256: sha256={expected}".encode() in head
        assert len(body) == deliveries.BYTES
        commits.add(json.loads(body)["after"])
    assert len(commits) == 2


def test_slipway_takes_every_delivery_of_the_load(tmp_path):
    """The load generator's fresh deliveries are all accepted, each as a run of its own."""
    with answer.slipway(tmp_path / "slipway") as door:
        found = answer.load(door, connections=4, requests=40, seconds=20, repeat=False)
    assert found["refused"] == 0
    assert 0 < found["p50"] <= found["p99"]


def test_a_server_that_refuses_ends_the_benchmark(tmp_path):
    """Rates of refused pushes are not shown as if they had been taken."""
    with answer.slipway(tmp_path / "slipway") as door:
        wrong = answer.Door(door.port, "/webhooks/nobody", door.processes)
        with pytest.raises(SystemExit, match="refused"):
            answer.load(wrong, connections=1, requests=3, seconds=5, repeat=False)


def test_turns_go_round():
    """Competitors are measured in turns, not one after the other."""
    order = []
    turns(["a", "b"], order.append, 2)
    assert order == ["a", "b", "a", "b"]


def test_numbers_become_a_page():
    """A percentile is a measured value, and a missed target says so."""
    assert percentile([4, 1, 3, 2], 99) == 4
    assert percentile([4, 1, 3, 2], 50) == 2
    assert "**not reached**" in verdict("x", 1.9, 2, "", at_least=True)
    assert "**not reached**" not in verdict("x", 29, 30, " ms", at_least=False)
    assert table(["", "n"], [["a", "1"]]) == "|  | n |\n| --- | ---: |\n| a | 1 |"


def test_the_command_names_its_parts():
    """An unknown part is refused with its name before anything is measured."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nonsense"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "nonsense" in done.stderr


def test_the_stand_in_of_s3_keeps_what_it_is_sent():
    """What a client puts there is there, with its headers; conditions and hashes are heeded."""
    with Store() as store:
        client = boto3.client(
            "s3",
            endpoint_url=store.url,
            region_name="eu-west-3",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        place = {"Bucket": "films", "Key": "a b/ä.html"}
        client.put_object(
            **place, Body=b"<p>", ContentType="text/html", ChecksumSHA256=_sha(b"<p>")
        )
        found = client.get_object(**place)
        assert (found["Body"].read(), found["ContentType"]) == (b"<p>", "text/html")
        for refused in ({"IfNoneMatch": "*"}, {"IfMatch": '"1"'}, {"ChecksumSHA256": _sha(b"")}):
            with pytest.raises(ClientError):
                client.put_object(**place, Body=b"other", **refused)
        client.copy_object(Bucket="films", Key="c", CopySource=place)
        listed = client.list_objects_v2(Bucket="films")["Contents"]
        assert [one["Key"] for one in listed] == ["a b/ä.html", "c"]
        client.delete_objects(Bucket="films", Delete={"Objects": [{"Key": "c"}]})
        assert client.list_objects_v2(Bucket="films")["Contents"] == listed[:1]


def _sha(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
