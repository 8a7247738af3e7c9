"""`make demo DEMO=watchlist`: the whole application goes live, and everybody was told."""

import re

import pytest

from tests.stand_ins.images import ensure_images
from tests.stand_ins.watchlist import BRANCHES, IMAGES, MEMBERS

pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.soak, pytest.mark.timeout(900)]


def test_the_whole_application_goes_live(start, docker_host, cache):
    """Three environments, an approval over HTTP, and at the end what all of them report."""
    ensure_images(docker_host, IMAGES, cache)
    demo = start("demo", "watchlist")
    code = demo.process.wait(800)
    output = demo.output
    assert code == 0, output
    for environment in BRANCHES:
        assert f"{environment}: four" in output
    for member in MEMBERS:
        found = re.findall(rf"^  ✓ {member.name} .* release \d", output, re.MULTILINE)
        assert len(found) == len(BRANCHES), output
        assert re.search(rf"^  {member.name} +http://\S+/runs/\S+$", output, re.MULTILINE)
        for function in member.functions:
            aliases = ", ".join(rf"{name} → \d" for name in BRANCHES)
            assert re.search(rf"{function} +{aliases} +sha256", output), output
        assert f"[Slipway] {member.repository}: deploy of" in output
    assert "approved over HTTP" in output
    assert "\x1b[" not in output
    assert demo.left() == []
