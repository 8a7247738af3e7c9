"""Modules of the service can be the first that a process imports: no cycle hides in an order."""

import subprocess
import sys

from tests.test_house import MODULES, ROOT, name

# Others stand above these, or import no room of ours.
FIRST = (
    "service/actions",
    "service/access",
    "service/web",
    "service/known",
    "workers/ledger/model",
)
# One process loads the libraries, and its children import a module of ours each.
EACH = """
import os, sys, traceback
import flask, prometheus_client, pydantic_settings, redis, redis.asyncio, requests, structlog
import workers.ledger, config.settings, config.server, config.pipeline
for module in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            __import__(module)
        except BaseException:
            print(module, traceback.format_exc().splitlines()[-1], flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_every_module_can_be_imported_first():
    """None needs that another one was imported before it."""
    names = [name(path).removesuffix(".py").removesuffix("/__init__") for path in MODULES]
    modules = [module.replace("/", ".") for module in names if module.startswith(FIRST)]
    assert "service.web" in modules
    command = [sys.executable, "-c", EACH, *modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
