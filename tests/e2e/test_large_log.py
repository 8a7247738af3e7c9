"""A check that prints 100 MB: cut for those who look, whole in S3 and over HTTP."""

import gzip
import time

import pytest
import requests

from tests.e2e.conftest import BUCKET, FUNCTION, World, small
from tests.stand_ins.slipway import TOKEN

pytestmark = pytest.mark.e2e

LINES = 1_000_000
TALK = (
    f"import sys\nfor n in range({LINES}):\n    sys.stdout.write('%09d ' % n + 'x' * 89 + '\\n')\n"
)
PIPELINE = f"""
[test.checks]
talk = "python talk.py"

[build]
path = "/app"

[functions.{FUNCTION}]
runtime = "python3.11"
handler = "index.lambda_handler"
"""
DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /app\nCOPY talk.py ./\n"


def test_100_mb_of_a_check(world: World) -> None:
    """Each line is in S3 and comes over HTTP, once and in order; the page's log is small."""
    files = small(slipway__toml=PIPELINE)
    commit = world.push(files | {"talk.py": TALK, "Dockerfile.test": DOCKERFILE})
    run = world.ended(commit)
    assert run["state"] == "succeeded", world.story(run)
    prefix = f"slipway/logs/{run['id']}"
    _until(lambda: f"{prefix}.txt" in world.aws.objects(BUCKET))
    parts = sorted(key for key in world.aws.objects(BUCKET) if key.startswith(f"{prefix}/"))
    packed = b"".join(world.aws.read(BUCKET, key) for key in parts)
    assert _numbers(gzip.decompress(packed).decode().splitlines()) == list(range(LINES))
    address = f"{world.slipway.url}/api/v1/runs/{run['id']}/log"
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    with requests.get(address, headers=bearer, stream=True, timeout=30) as answer:
        assert _numbers(answer.iter_lines(1 << 20, decode_unicode=True)) == list(range(LINES))
    cut = world.slipway.get(f"/api/v1/runs/{run['id']}/log", after="").text
    assert 1_000_000 < len(cut) < 3_000_000
    assert f"[test/talk] {LINES - 1:09} " in cut
    spools = world.slipway.folder / "data" / "logs"
    _until(lambda: not list(spools.iterdir()))


def _numbers(lines: object) -> list[int]:
    marked = "[test/talk] "
    return [int(line[12:21]) for line in lines if line.startswith(marked) and line[12].isdigit()]


def _until(ready: object) -> None:
    deadline = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)
