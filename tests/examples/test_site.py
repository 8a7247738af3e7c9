"""The site's build: a page for each environment, assets that may be kept for ever."""

import re

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.soak, pytest.mark.timeout(900)]
HASHED = re.compile(r"assets/\w+\.[0-9a-f]{10}\.(css|js|json|svg)")


def site(example, environment):
    """The site's files and their bytes."""
    found = example.build(environment).site
    return {name: found.body(name) for name in found.files}


def test_each_environment_gets_its_page(example):
    """Only the page differs; what it leads to is there."""
    repository = example("marketplace")
    sites = {name: site(repository, name) for name in ("sandbox", "production")}
    for environment, files in sites.items():
        page = files["index.html"].decode()
        assert f'data-environment="{environment}"' in page
        named = re.findall(r'(?:href|src|data-films)="([^"]+)"', page)
        assert len(named) == 4
        assert set(named) <= set(files)
        assert all(HASHED.fullmatch(name) for name in files if name.startswith("assets/"))
    one, two = (dict(files, **{"index.html": b""}) for files in sites.values())
    assert one == two


def test_a_pull_request_is_built_too(example):
    """Without an environment the site is the sandbox's."""
    assert b'data-environment="sandbox"' in site(example("marketplace"), "")["index.html"]
