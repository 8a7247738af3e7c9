"""The repository that the demo pushes: an example's files, as a user would commit them."""

import base64
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from config.pipeline import ConfigError, Function, load
from local.process import SetUpError
from tests.stand_ins.github import TOKEN

OWNER = "watchlist"
BRANCH = "develop"
BASE_IMAGE = re.compile(r"^FROM\s+(?:--\S+\s+)*(\S+:\S+)", re.IGNORECASE | re.MULTILINE)
NOT_PUSHED = ("__pycache__", "*.pyc", ".git", "coverage", "node_modules")
AUTHOR = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Demo"), ("EMAIL", "demo@example.com"))
}


@dataclass(frozen=True)
class Example:
    """A directory with a slipway.toml."""

    path: Path

    @property
    def repository(self) -> str:
        """Its name on GitHub."""
        return f"{OWNER}/{self.path.name}"

    @cached_property
    def functions(self) -> dict[str, Function]:
        """What its slipway.toml deploys; nothing if that can't be read, which the run will say."""
        try:
            return dict(load(self.path / "slipway.toml").functions)
        except ConfigError:
            return {}

    @property
    def images(self) -> list[str]:
        """The base images of its Dockerfiles."""
        files = [path.read_text() for path in self.path.glob("Dockerfile*")]
        return sorted({name for text in files for name in BASE_IMAGE.findall(text)})

    def push(self, folder: Path, clone_url: str) -> str:
        """Commit its files in `folder` and push them to the branch; returns the commit.

        Raises:
            SetUpError: with git's own words.
        """
        shutil.copytree(self.path, folder, ignore=shutil.ignore_patterns(*NOT_PUSHED))
        _git(folder, "init", "--quiet", f"--initial-branch={BRANCH}")
        _git(folder, "add", "--all")
        _git(folder, "commit", "--quiet", "--message=Load the films of the watchlist")
        _git(folder, "push", "--quiet", clone_url, BRANCH)
        return _git(folder, "rev-parse", "HEAD")


def _git(folder: Path, *arguments: str) -> str:
    credential = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    header = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {credential}",
    }
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **AUTHOR, **header},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SetUpError(f"git {arguments[0]} failed:\n{done.stderr.strip()}")
    return done.stdout.strip()
