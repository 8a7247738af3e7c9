"""Two repositories may write one bucket: the second must not remove the first one's pages."""

import time

from tests.e2e.test_site import PIPELINE, SECRET, SITE, api, site, world  # noqa: F401 - fixtures

OTHER = "watchlist/blog"
BRIEF = PIPELINE + 'keep = "5s"\n'
DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /app\nCOPY . ./\n"


def over(world, commit):  # noqa: F811
    """The run of a commit, once it has succeeded or failed."""
    run, end = world.run_of(commit), time.monotonic() + 90
    while world.slipway.run(run["id"])["state"] not in ("succeeded", "failed"):
        assert time.monotonic() < end
        time.sleep(0.3)
    return world.slipway.run(run["id"])


def test_another_repositorys_release_leaves_a_live_site_alone(world):  # noqa: F811
    """It is refused, with a word to the operator, and the pages stay."""
    over(world, world.push(site("shop") | {"dist/shop.html": "<p>shop"}))
    world.github.create_repository(OTHER)
    world.github.add_hook(OTHER, f"{world.slipway.url}/webhooks/github", SECRET)
    for number in (1, 2):
        files = {
            "Dockerfile": DOCKERFILE,
            "slipway.toml": BRIEF,
            "dist/index.html": f"<p>blog {number}",
            "dist/post.html": "<p>post",
        }
        commit = world.github.commit(OTHER, "develop", files, "Blog")
        world.github.push_event(OTHER, "develop")
        run = over(world, commit)
        assert run["state"] == "failed"
        assert f"slipway releases --take-over {OTHER}" in run["error"]
    there = world.aws.objects(SITE)
    assert "sandbox/shop.html" in there, there
    assert b"blog" not in world.aws.read(SITE, "sandbox/index.html")
