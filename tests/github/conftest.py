"""A GitHub stand-in and our client of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stand_ins.github import TOKEN, GitHub
from workers.github.client import GitHub as Client

NAME = "watchlist/movies"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHub]:
    """GitHub with one repository."""
    with GitHub(tmp_path / "hub") as hub:
        hub.create_repository(NAME)
        yield hub


@pytest.fixture
def client(hub: GitHub) -> Client:
    """A client with a token."""
    return Client(hub.api_url, token=TOKEN)


@pytest.fixture
def sha(hub: GitHub) -> str:
    """A commit to put statuses on."""
    return hub.commit(NAME, "master", {"a": "b"})
