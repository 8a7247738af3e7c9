"""The bridge that some tests make: none stays, not even of a process that was killed."""

import subprocess
import sys

import pytest

from tests.stand_ins.bridge import NETWORK, Bridge

KILLED = """
import os, signal
from tests.stand_ins.bridge import Bridge
with Bridge() as made:
    print(made.name, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not Bridge.can_be_made(), reason="no bridge can be made here")
def test_a_bridge_of_a_killed_process_goes_with_the_next():
    """It stands there until somebody makes another one; that of a living process stays."""
    made = subprocess.run(
        [sys.executable, "-c", KILLED], capture_output=True, text=True, check=False
    )
    left = NETWORK / made.stdout.strip()
    assert left.name.startswith("slw"), made.stderr
    assert left.exists()
    with Bridge() as bridge:
        assert not left.exists()
        assert (NETWORK / bridge.name).exists()
    assert not (NETWORK / bridge.name).exists()
