"""A Slipway whose public URL has a path: what GitHub and people get leads there."""

import re

import pytest
import requests

from tests.e2e.conftest import REPOSITORY, World, small

pytestmark = pytest.mark.e2e
PUBLIC = "https://tools.example.com/slipway"


@pytest.mark.slipway(SLIPWAY_PUBLIC_URL=f"{PUBLIC}/")
def test_statuses_links_and_redirects_lead_below_the_path(world: World) -> None:
    """A push goes live; its statuses, its JSON and the pages all name the public URL."""
    commit = world.push(small())
    run = world.ended(commit)
    assert run["state"] == "succeeded", world.story(run)
    page = f"{PUBLIC}/runs/{run['id']}"
    assert run["url"] == page
    targets = {one.target_url for one in world.github.latest(REPOSITORY, commit).values()}
    assert {target.partition("#")[0] for target in targets} == {page}
    for prefix in ("", "/slipway"):
        home = requests.get(f"{world.slipway.url}{prefix}/", timeout=10, allow_redirects=False)
        assert home.headers["Location"].startswith("/slipway/sign-in")
        form = requests.get(f"{world.slipway.url}{prefix}/sign-in", timeout=10)
        found = re.findall(r'(?:href|src|action)="(/[^"]*)"', form.text)
        assert found
        assert [link for link in found if not link.startswith("/slipway/")] == []
        ready = requests.get(f"{world.slipway.url}{prefix}/readyz", timeout=10)
        assert ready.json() == {"status": "ok"}
