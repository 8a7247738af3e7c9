"""The bridge that some tests make: none stays, not even of a process that was killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.stand_ins.bridge import NETWORK, Bridge

KILLED = """
import os, signal
from tests.stand_ins.bridge import Bridge
with Bridge() as made:
    print(made.name, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _left() -> Path:
    """The bridge that a killed process has made."""
    made = subprocess.run(
        [sys.executable, "-c", KILLED], capture_output=True, text=True, check=False
    )
    assert made.stdout.startswith("slw"), made.stderr
    return NETWORK / made.stdout.strip()


@pytest.mark.skipif(not Bridge.can_be_made(), reason="no bridge can be made here")
def test_a_bridge_of_a_killed_process_goes_with_the_next():
    """It stands there until somebody makes another one; that of a living process stays."""
    # Another process of this run of the tests may tidy it up before we look.
    left = next(filter(Path.exists, (_left() for _ in range(5))))
    with Bridge() as bridge:
        assert not left.exists()
        assert (NETWORK / bridge.name).exists()
    assert not (NETWORK / bridge.name).exists()
