"""The programs that are measured, each in an environment of its own."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks import deliveries, environments
from local.ports import free_port
from local.process import Process, wait_for_http, wait_for_port
from local.redis import EmbeddedRedis
from tests.stand_ins.slipway import Slipway

HERE = Path(__file__).parent
OPERATOR = """
[environments.sandbox]
branch = "develop"

[[repositories]]
name = "watchlist/*"
functions = ["Movies*"]
bucket = "deployment-packages-watchlist"
"""


@contextlib.contextmanager
def slipway(
    folder: Path, operator: str = OPERATOR, **variables: str
) -> Iterator[tuple[Slipway, EmbeddedRedis]]:
    """Slipway's processes, not started, and a Redis that syncs every write to disk."""
    with EmbeddedRedis(folder / "redis") as redis:
        environment = {
            "REDIS_URL": redis.url,
            "GITHUB_WEBHOOK_SECRET": deliveries.SECRET,
            **variables,
        }
        with Slipway(folder / "slipway", operator, environment) as processes:
            yield processes, redis


@contextlib.contextmanager
def receiver(
    folder: Path, worker_class: str = "sync"
) -> Iterator[tuple[Process, int, EmbeddedRedis]]:
    """The tutorial's receiver: two gunicorn workers, a Redis that keeps nothing on disk."""
    python = environments.python("receiver")
    port = free_port()
    with EmbeddedRedis(folder / "redis", appendonly="no") as redis:
        command = [python, "-m", "gunicorn", "--workers=2", f"--bind=127.0.0.1:{port}"]
        command += [f"--worker-class={worker_class}", "--no-control-socket", "receiver:app"]
        command += ["--threads=8"] if worker_class == "gthread" else []
        env = _receiver_environment(folder, redis)
        with Process(command, folder / "web.log", env=env, cwd=HERE) as web:
            wait_for_port(web, port)
            yield web, port, redis


@contextlib.contextmanager
def celery_worker(folder: Path, redis: EmbeddedRedis) -> Iterator[Path]:
    """The tutorial's worker; the file in which its tasks note when they began."""
    python = environments.python("receiver")
    env = _receiver_environment(folder, redis)
    command = [python, "-m", "celery", "-A", "receiver:celery", "worker"]
    command += ["--concurrency=2", "--loglevel=INFO"]
    log = folder / "worker.log"
    with Process(command, log, env=env, cwd=HERE) as worker:
        worker.wait_until(lambda: "ready" in log.read_text(), "Celery's worker")
        yield Path(env["BEGUN"])


def _receiver_environment(folder: Path, redis: EmbeddedRedis) -> dict[str, str]:
    return {
        "BROKER": redis.url,
        "SECRET": deliveries.SECRET,
        "BEGUN": str(folder / "begun"),
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@contextlib.contextmanager
def buildbot(folder: Path, branch: str = "none") -> Iterator[tuple[Process, int]]:
    """Buildbot's master with a worker inside; only pushes to `branch` are built."""
    buildbot = str(Path(environments.python("buildbot")).with_name("buildbot"))
    folder.mkdir(parents=True)
    port = free_port()
    (folder / "master.cfg").write_text((HERE / "buildbot_master.py").read_text())
    env = {
        "PORT": str(port),
        "SECRET": deliveries.SECRET,
        "BEGUN": str(folder / "begun"),
        "BRANCH": branch,
        "PATH": f"{Path(buildbot).parent}{os.pathsep}{os.environ['PATH']}",
    }
    create = [buildbot, "create-master", "--relocatable", "--quiet", str(folder)]
    subprocess.run(create, check=True, env=os.environ | env, capture_output=True)
    command = [buildbot, "start", "--nodaemon", str(folder)]
    with Process(command, folder / "master.log", env=env) as master:
        wait_for_http(master, f"http://127.0.0.1:{port}/", 60)
        yield master, port
