"""Builds images with BuildKit and removes them."""

import os
import re
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path

from docker.errors import ImageNotFound

from config import limits
from config.masker import cut
from config.units import duration
from workers.docker import away, command, source_file
from workers.docker.bounds import CACHE_ARGUMENT, Bounds, build_network
from workers.docker.disk import full
from workers.docker.dockerfile import frontends, rules
from workers.docker.dockerfile.frontends import asked as _check_frontend
from workers.docker.engine import Engine
from workers.ledger.model.errors import PassingError, UserError
from workers.ledger.model.guard import Say, Watch

_LEFT_OUT = "{} is not fetched, for builds have no network: the engine reads the Dockerfile itself"
_PROGRESS = re.compile(r"#\d+ ")
_OUTPUT = re.compile(r"#(\d+) \d+\.\d+ (.*)")
_FAILED = re.compile(r"#(\d+) ERROR\b")
_TAIL_LINES = 60
_SHOWN_LINES = 30
_LONGEST_LINE = 500
_OUT_OF_REACH = re.compile(
    r"cannot connect to the docker daemon|error during connect|dial tcp|dial unix|i/o timeout"
    r"|tls handshake timeout|toomanyrequests|code = unavailable|connection reset by peer"
    r"|error reading from server: eof|service unavailable|bad gateway|gateway timeout"
    r"|too many requests|unexpected status[^:]{0,200}: (429|5\d\d)|no such host"
    r"|server misbehaving|temporary failure in name resolution|connection refused"
    r"|failed to do request|request canceled while waiting|unexpected eof",
    re.IGNORECASE,
)


def build(  # noqa: PLR0913 - an image build has that many sides
    engine: Engine,
    context: Path,
    dockerfile: str | Path,
    *,
    bounds: Bounds,
    args: Mapping[str, str],
    labels: Mapping[str, str],
    timeout: float,
    say: Say,
    watch: Watch,
    network: bool = True,
    below: str = "",
    target: str | None = None,
) -> str:
    """Build an image and return its id; `timeout` in seconds.

    `dockerfile` as text is a file of the `context`, as a Path one of ours that may be anywhere.
    It copies from the folder `below` the context, and ends with the stage `target`. Without
    `network` it has none, whatever its `bounds` allow. The image has no name, so that no other
    build can take it.

    Raises:
        UserError: the build failed, took too long or asks for a foreign `# syntax=`.
        PassingError: the engine or a registry is out of reach, or the engine's disk is full.
        OurError: no client can build, or the engine has no such network.
    """
    wanted = _check_frontend(context, dockerfile, args)
    name = dockerfile if isinstance(dockerfile, str) else "the preset's Dockerfile"
    engine.ping()
    chosen = build_network(engine, bounds.network) if network else "none"
    rules.refuse(engine, context / dockerfile, name, args, bounds, chosen)
    builder, tail = engine.builder(), _Tail(say)
    # Beside the source, with which all of it goes, also when this process is killed.
    with tempfile.TemporaryDirectory(prefix="slipway-build-", dir=context.parent) as folder:
        id_file, file = Path(folder, "id"), context / dockerfile
        if not rules.may_have(engine, wanted, bounds):
            say(_LEFT_OUT.format(wanted[0]))
            file, args = frontends.without(context, dockerfile, Path(folder, "read"), args)
        files = (f"--file={file}", f"--iidfile={id_file}")
        options = _options(bounds, chosen, engine.build_cgroup, args, labels)
        stage = [f"--target={target}"] if target else []
        place = str(source_file.folder(context, below))
        words = _checked([*builder.arguments, *files, *options, *stage, "--", place])
        variables = {**builder.environment, "TMPDIR": folder}
        code = _run(engine, words, variables, seconds=timeout, name=name, say=tail, watch=watch)
        if code:
            raise _failure(engine, name, code, list(tail.lines), networked=chosen != "none")
        return id_file.read_text().strip()


def _run(  # noqa: PLR0913 - as many as it needs
    engine: Engine,
    words: list[str],
    variables: Mapping[str, str],
    *,
    seconds: float,
    name: str,
    say: Say,
    watch: Watch,
) -> int:
    try:
        return command.run(
            words,
            environment=variables,
            seconds=seconds,
            say=say,
            watch=watch,
            masker=engine.masker,
        )
    except TimeoutError:
        raise _late(name, seconds) from None


def _late(name: str, timeout: float) -> UserError:
    return UserError(f"the image build of {name} timed out after {duration(timeout)}")


def _checked(words: list[str]) -> list[str]:
    """The words, which the system takes (execve(2), E2BIG)."""
    lengths = [len(os.fsencode(word)) for word in words]
    if max(lengths) > limits.WORD or sum(lengths) > limits.WORDS:
        raise UserError(
            f"the build arguments, filled in, have more than {limits.WORD} bytes in one, or"
            f" {limits.WORDS} together: put what is long into a file"
        )
    return words


class _Tail:
    """Passes text on and keeps its last lines, for the error of a build that failed."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.lines: deque[str] = deque(maxlen=_TAIL_LINES)

    def __call__(self, text: str) -> None:
        self.lines.extend(text.split("\n"))
        self._say(text)


def _options(
    bounds: Bounds,
    network: str,
    cgroup: str | None,
    args: Mapping[str, str],
    labels: Mapping[str, str],
) -> Iterator[str]:
    yield from ("--progress=plain", f"--network={network}")
    if cgroup:
        yield f"--cgroup-parent={cgroup}"
    yield from _pairs("build-arg", {**args, CACHE_ARGUMENT: bounds.cache})
    yield from _pairs("label", labels)


def _pairs(option: str, values: Mapping[str, str]) -> list[str]:
    return [f"--{option}={name}={value}" for name, value in sorted(values.items())]


def remove(engine: Engine, image: str) -> None:
    """Remove an image, if it is there; BuildKit's cache of its steps stays.

    Raises:
        PassingError: the engine does not answer.
    """
    with engine.reached():
        try:
            engine.client.images.remove(image, force=True)
        except ImageNotFound:
            return


def _failure(
    engine: Engine, dockerfile: str, code: int, tail: list[str], *, networked: bool
) -> Exception:
    """What a failed build means; BuildKit sums up the failed step between two `------` lines."""
    rules = [number for number, line in enumerate(tail) if line == "------"]
    summary = tail[rules[-2] :] if len(rules) > 1 else tail
    verdict = "\n".join(summary[summary.index("------", 1) :] if len(rules) > 1 else tail[-3:])
    lines = _shown(tail, rules)
    shown = "\n".join(cut(line, _LONGEST_LINE) for line in lines[-_SHOWN_LINES:])
    engine.ping()
    text = f"the image build of {dockerfile} failed (exit code {code}):\n{shown}"
    if full(f"{shown}\n{verdict}"):
        return PassingError(f"the Docker engine's disk is full; {text}")
    if re.search(r"exit code: \d+\s*$", verdict):
        # A step of the Dockerfile: what its tools have said of the network counts, if it had any.
        if networked and (sign := away.said(lines)):
            return PassingError(f"a step found its registry out of reach ({sign}); {text}")
        return UserError(text)
    if _OUT_OF_REACH.search(verdict):
        return PassingError(f"the engine or a registry was out of reach; {text}")
    return UserError(text)


def _shown(tail: list[str], rules: list[int]) -> list[str]:
    """The failed step with what it said, or, where no step failed, all that is not progress."""
    if len(rules) < 2:  # noqa: PLR2004 - the summary of a step stands between two
        return [line for line in tail if line.strip() and not _PROGRESS.match(line)] or tail
    begins, ends = rules[-2:]
    head, rest = tail[begins : begins + 2], tail[begins + 2 :]
    if ends - begins > 2:  # noqa: PLR2004 - newer ones repeat the step's output there
        return [*head, *rest]
    failed = next((found[1] for line in reversed(tail) if (found := _FAILED.match(line))), None)
    lines = (_OUTPUT.match(line) for line in tail)
    return [*head, *(found[2] for found in lines if found and found[1] == failed), *rest]
