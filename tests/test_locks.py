"""What is locked for production is enough for it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
PROGRAM = r"""
import importlib, importlib.metadata, pkgutil, re, sys

def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()

locked = {plain(line.split("==")[0]) for line in open(sys.argv[1]) if "==" in line} | {"slipway"}
owners = importlib.metadata.packages_distributions()

class Refusal:
    def find_spec(self, name, path=None, target=None):
        owned = owners.get(name.partition(".")[0])
        if owned and not locked & set(map(plain, owned)):
            raise ModuleNotFoundError(f"{name} is of {owned}, which is not locked", name=name)

sys.meta_path.insert(0, Refusal())
if len(sys.argv) > 2:
    importlib.import_module(sys.argv[2])
for place in ("config", "service", "workers"):
    for module in pkgutil.walk_packages(importlib.import_module(place).__path__, f"{place}."):
        if not module.name.endswith(("__main__", "service.gunicorn")):
            importlib.import_module(module.name)
# What the programs import only once they run.
for name in ("celery.apps.beat", "celery.apps.worker", "gunicorn.app.wsgiapp", "honcho.manager",
             "kombu.transport.redis", "uvicorn.loops.uvloop", "uvicorn.lifespan.on"):
    importlib.import_module(name)
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Import all of Slipway where only what is locked can be imported."""
    command = [sys.executable, "-c", PROGRAM, str(LOCK), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_production_lock_is_enough():
    """Web, worker, beat and command line import nothing that only developers have installed."""
    result = run()
    assert result.returncode == 0, result.stderr


def test_what_is_not_locked_is_missed():
    """The test above sees what it looks for."""
    assert "'pytest'" in run("pytest").stderr
