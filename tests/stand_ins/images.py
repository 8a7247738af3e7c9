"""Base images: pulled where a registry can be reached, else made from Debian's own packages."""

import functools
import io
import os
import re
import selectors
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound

from local.packages import Say, locked, run, update
from local.process import SetUpError
from tests.stand_ins import registries
from tests.stand_ins.engine_probe import find_client
from tests.stand_ins.recipes import RECIPES, Recipe

REACH_SECONDS = 5
PULL_SECONDS = 600
LABEL = "slipway.made-from"
MADE = "packages-2"
"""Another word makes the images anew that an engine holds from before."""
BASE = (
    "base-files",
    "base-passwd",
    "bash",
    "ca-certificates",
    "coreutils",
    "dash",
    "findutils",
    "grep",
    "gzip",
    "libc-bin",
    "mawk",
    "netbase",
    "sed",
    "tar",
    "tzdata",
)
MERGED = ("bin", "sbin", "lib", "lib64")
LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info")


def ensure_images(docker_host: str, names: Iterable[str], cache: Path, say: Say = print) -> None:
    """Make sure that the engine holds these images, such as `python:3.11-slim`.

    Raises:
        SetUpError: when one can neither be pulled nor made here.
    """
    with locked(cache / "images.lock"), closing(docker.DockerClient(docker_host)) as client:
        for name in names:
            if not _holds(client, name) and not _pull(docker_host, name, say):
                say(f"making {name} from this machine's distribution")
                _make(client, name, cache)


def _holds(client: docker.DockerClient, name: str) -> bool:
    try:
        labels = client.images.get(name).labels or {}
    except ImageNotFound:
        return False
    except DockerException as error:
        raise SetUpError(f"The Docker engine does not answer: {error}") from error
    return labels.get(LABEL, MADE) == MADE


def _pull(docker_host: str, name: str, say: Say) -> bool:
    """Pull it; False if no registry answers within a few seconds or the pull fails."""
    program = find_client()
    if program is None:
        return False
    pull = subprocess.Popen(
        [program, "pull", name],
        env={**os.environ, "DOCKER_HOST": docker_host},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        if not _first_words(pull):
            return False
        say(f"pulling {name}")
        pull.communicate(timeout=PULL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    finally:
        pull.kill()
        pull.communicate()
    return pull.returncode == 0


def _first_words(pull: subprocess.Popen[bytes]) -> bool:
    # The client speaks first when the registry has answered: "3.11-slim: Pulling from …".
    assert isinstance(pull.stdout, io.BufferedReader)
    with selectors.DefaultSelector() as selector:
        selector.register(pull.stdout, selectors.EVENT_READ)
        return bool(selector.select(REACH_SECONDS) and pull.stdout.peek(1))


def _make(client: docker.DockerClient, name: str, cache: Path) -> None:
    family, _, tag = name.partition(":")
    version = re.match(r"\d+(\.\d+)*", tag)
    recipe = RECIPES.get(family)
    why = "nothing is known about making it"
    if recipe and version and shutil.which("apt-get"):
        try:
            return _make_from_packages(client, name, recipe.of(version[0]), version[0], cache)
        except SetUpError as error:
            why = str(error)
    raise SetUpError(
        f"The image {name} is not here, no registry that has it answers the engine, and it could "
        f"not be made here: {why}\nWhere a registry answers: docker pull {name}"
    )


def _make_from_packages(
    client: docker.DockerClient, name: str, recipe: Recipe, version: str, cache: Path
) -> None:
    # Not on /tmp, which may be a small memory file system or forbid programs.
    with tempfile.TemporaryDirectory(dir=cache, prefix="image-") as folder:
        debs, root = Path(folder, "debs"), Path(folder, "root")
        _download([*BASE, recipe.package], debs)
        _unpack(debs, root)
        _finish(root, recipe)
        _bring(root, recipe, version, Path(folder))
        _check_version(root, recipe, name, version)
        _import(client, name, root, recipe, registries.trust(root))


def _bring(root: Path, recipe: Recipe, version: str, folder: Path) -> None:
    """What a language's own registry has for it."""
    if recipe.brings == "node":
        registries.add_node(root, version, folder / "npm")
    elif recipe.brings == "pip":
        registries.add_pip(root, version)


def _download(packages: list[str], folder: Path) -> None:
    """Fetch the packages and all that they depend on, as if nothing were installed."""
    (folder / "partial").mkdir(parents=True)
    status = folder / "status"
    status.touch()
    settings = {
        "Dir::State::status": status,
        "Dir::Cache::archives": folder,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Debug::NoLocking": 1,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
    }
    options = [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]
    command = ["apt-get", "install", "-y", "-q", "--download-only", *options, *packages]
    if run(command, check=False).returncode:
        # The lists are missing, or older than what the mirror still has.
        if os.geteuid() == 0:
            update()
        run(command)


def _unpack(debs: Path, root: Path) -> None:
    root.mkdir()
    for name in MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    with ThreadPoolExecutor() as pool:
        list(pool.map(functools.partial(_unpack_one, root), debs.glob("*.deb")))


def _unpack_one(root: Path, deb: Path) -> None:
    skip = [f"--exclude=./{path}/*" for path in LEFT_OUT]
    command: list[str | Path] = ["tar", "-x", "-C", root, "--keep-directory-symlink", *skip]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as data:
        done = subprocess.run(command, stdin=data.stdout, capture_output=True, check=False)
    if done.returncode or data.returncode:
        raise SetUpError(f"{deb.name} could not be unpacked: {done.stderr.decode()}")


def _finish(root: Path, recipe: Recipe) -> None:
    """What the packages' own scripts would do: users, certificates, links, library cache."""
    for kind in ("passwd", "group"):
        shutil.copy(root / f"usr/share/base-passwd/{kind}.master", root / "etc" / kind)
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n")
    certificates = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = "".join(path.read_text() for path in certificates)
    (root / "etc/ssl/certs/ca-certificates.crt").write_text(bundle)
    for link, target in (("awk", "mawk"), ("which", "which.debianutils")):
        (root / "usr/bin" / link).symlink_to(target)
    for link, target in recipe.links:
        path = root / "usr/local" / link
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    run(["ldconfig", "-r", root], check=False)


def _check_version(root: Path, recipe: Recipe, name: str, version: str) -> None:
    """Refuse to tag an image as something that it is not."""
    if os.geteuid() != 0:
        if not (root / recipe.program.lstrip("/")).exists():
            raise SetUpError(f"{name}: this distribution has no {recipe.package}")
        return
    said = run(["chroot", root, recipe.program, *recipe.version]).stdout
    if not re.match(rf"\D*{re.escape(version)}\b", said):
        raise SetUpError(f"{name}: this distribution has {said.strip() or 'another version'}")
    if recipe.warm:
        run(["chroot", root, recipe.program, *recipe.warm], check=False)


def _import(
    client: docker.DockerClient, name: str, root: Path, recipe: Recipe, more: Iterable[str]
) -> None:
    changes = [
        f"ENV {' '.join((*recipe.variables, *more))} LANG=C.UTF-8",
        f'CMD ["{recipe.command}"]',
        f"LABEL {LABEL}={MADE}",
    ]
    tar: list[str | Path] = [
        "tar",
        "-c",
        "-C",
        root,
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        ".",
    ]
    repository, _, tag = name.partition(":")
    try:
        with subprocess.Popen(tar, stdout=subprocess.PIPE) as stream:
            answer = client.api.import_image(
                stream.stdout, repository=repository, tag=tag, changes=changes, stream_src=True
            )
    except DockerException as error:
        raise SetUpError(f"the engine did not take it: {error}") from error
    if stream.returncode or '"error' in str(answer):
        raise SetUpError(f"the engine did not take it: {answer}")
