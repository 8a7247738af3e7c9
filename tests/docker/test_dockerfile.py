"""Tests of what a Dockerfile is read to fetch; none reads it more kindly than BuildKit does."""

import time

import pytest

from workers.docker.dockerfile import names
from workers.docker.dockerfile.reach import fetches

FAR = "http://far.example/x"


def found(text: str, **args: str) -> list[tuple[int, str, str | None]]:
    """Line, kind and name of all that is fetched, but the first FROM."""
    return [(one.line, one.kind, one.name) for one in fetches(text, args)]


def of(kind: str, text: str, **args: str) -> list[str | None]:
    """The names of one kind."""
    return [name for _, one, name in found(text, **args) if one == kind]


@pytest.mark.parametrize(
    "step",
    [
        f"ADD {FAR} /",
        f"add\t{FAR} /",
        f"  ADD {FAR} /",
        f"ADD \\\n{FAR} /",
        f"ADD \\\n# a comment\n\n  {FAR} /",
        f'ADD ["{FAR}", "/"]',
        f'ADD "{FAR}" /',
        "ADD ht'tp'://far.example/x /",
        "ADD ht\\tp://far.example/x /",
        'ADD ["\\u0068ttp://far.example/x","/"]',
        'ADD ["./near","$FAR","/"]',
        "ADD near $FAR /",
        "ADD ${FAR} /",
        "ADD http:/$FAR /",
        f"ADD --chown=a:b {FAR} /",
        f'ADD --chown="a b" {FAR} /',
        "ADD git@far.example:a/b.git /",
        "ADD ssh://git@far.example/a /",
        "ADD git://far.example/a#main /",
        "ADD https://far.example/a.git#main:folder /",
        f"ONBUILD ADD {FAR} /",
        f"onbuild\tADD {FAR} /",
        f"RUN <<EOF\nADD {FAR} /\nEOF",
        f"RUN echo '<<EOF'\nADD {FAR} /\nRUN true EOF",
        f"RUN x \\\\\nADD {FAR} /",
        f"RUN x\r\nADD {FAR} /",
        f"RUN x \\ \r\r\nADD {FAR} /",
        f"\u00a0ADD {FAR} /",
    ],
)
def test_add_from_elsewhere_is_seen(step: str):
    """However it is written."""
    assert of("remote", f"FROM scratch\n{step}\n")


@pytest.mark.parametrize("comment", ["# escape=`", "#escape = `", "# ESCAPE=`"])
def test_another_escape_hides_nothing(comment: str):
    """The directive may choose what continues a line."""
    assert of("remote", f"{comment}\nFROM scratch\nADD `\n {FAR} /\n")
    assert of("remote", f"{comment}\nFROM scratch\nRUN x \\\nADD {FAR} /\n")


@pytest.mark.parametrize(
    "step",
    [
        "ADD near /",
        "ADD ./near-$VERSION.tgz /",
        "ADD a,b /",
        f"COPY {FAR} /",
        f"RUN curl {FAR}",
        f"RUN a \\\n  ADD {FAR}",
        f"# ADD {FAR} /",
        f"LABEL a=b \\\n  ADD={FAR}",
        'ADD ["./near", "/"]',
    ],
)
def test_what_stays_at_home_is_let_through(step: str):
    """A path, a comment, a line that goes on, a command of a shell."""
    assert not of("remote", f"FROM scratch\n{step}\n")


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("FROM a", ["a"]),
        ("FROM --platform=linux/amd64 a AS b", ["a"]),
        ("FROM a AS b\nFROM b\nFROM B\nFROM scratch", ["a"]),
        ("FROM b\nFROM a AS b", ["b", "a"]),
        ("FROM a AS x\nCOPY --from=x . .\nCOPY --from=0 . .", ["a"]),
        ("FROM a\nCOPY --from=far.example/x:1 . .", ["a", "far.example/x:1"]),
        ("FROM a\nCOPY --chown=1 --from=x . .", ["a", "x"]),
        ("FROM a\nCOPY --fr\\om=x . .", ["a", "x"]),
        ('FROM a\nCOPY --"from"=x . .', ["a", "x"]),
        ('FROM a\nCOPY --chown="1 1" --from=x . .', ["a", "x"]),
        ("FROM a\nCOPY --from x . .", ["a", "x"]),
        ("FROM a\nCOPY --from=$X . .", ["a", None]),
        ("FROM a\nONBUILD COPY --from=x . .", ["a", "x"]),
        ("FROM a\nRUN --mount=type=bind,from=x,target=/m ls", ["a", "x"]),
        ("FROM a\nRUN --mount=target=/m,FROM=x --mount=from=y,target=/n ls", ["a", "x", "y"]),
        ('FROM a\nRUN --mount="type=bind,from=x,target=/m" ls', ["a", "x"]),
        ("FROM a\nRUN --mount='\"from=x\",target=/m' ls", ["a", "x"]),
        ("FROM a\nRUN --mount=type=cache,target=/m uvx --from=x y", ["a"]),
        ("FROM a\nRUN <<EOF\nSELECT 1\nFROM users\nEOF", ["a", "users"]),
        ("FR\\\nOM a\\\nb", ["ab"]),
        ("ARG V=3\nFROM a:$V", ["a:3"]),
        ('ARG V="3"\nARG I=a:${V}\nFROM $I', ["a:3"]),
        ("ARG V\nFROM a:${V:-4}", ["a:4"]),
        ("ARG V=1\nFROM a${V:+:5}", ["a:5"]),
        ('ARG V="x W=1"\nARG I=a\nFROM $I:$W', [None]),
        ("FROM a\nARG V=1\nFROM b$V", ["a", "b"]),
        ("FROM a:$TARGETARCH", [None]),
        ("FROM 'a'", [None]),
        ("FROM ${V#x}", [None]),
        ("ARG I=a\nFROM $I\nRUN <<EOF\nARG I=b\nEOF", [None]),
        ("ARG I=a\nFROM $I\nARG I\nRUN <<EOF\nEOF", ["a"]),
        ("FROM a \\\n AS b\nRUN <<EOF\nEOF", [None]),
    ],
)
def test_images_are_seen(text: str, images: list[str | None]):
    """Of FROM, COPY and mounts; stages are none; what can't be told is None."""
    names_of = of("image", f"{text}\n")
    assert names_of == images


def test_arguments_of_the_build_go_first():
    """What slipway.toml gives takes the place of a default, where there is such an ARG."""
    assert of("image", "ARG I=a\nFROM $I\n", I="far.example/x") == ["far.example/x"]
    assert of("image", "FROM a$I\n", I="b") == ["a"]


@pytest.mark.parametrize(
    "step",
    [
        "RUN --network=host ls",
        "RUN --network host ls",
        "RUN --mount=type=cache,target=/m --network=host ls",
        'RUN --network="host" ls',
        "RUN --net\\work=host ls",
        "ONBUILD RUN --network=host ls",
        "RUN <<EOF\nEOF\nRUN --network=host ls",
        "RUN --network=$N ls",
    ],
)
def test_a_step_that_asks_for_the_machines_network_is_seen(step: str):
    """However it is written; a command's own flag is none."""
    assert of("network", f"FROM a\n{step}\n")
    assert not of("network", "FROM a\nRUN docker run --network=host x\nRUN --network=none ls\n")
    assert of("security", "FROM a\nRUN --security=insecure ls\n") == ["insecure"]


@pytest.mark.parametrize(
    ("name", "pattern", "covered"),
    [
        ("python:3.11", "python:*", True),
        ("docker.io/library/python:3.11", "python:*", True),
        ("python", "docker.io/library/python", True),
        ("python.far.example/x", "python*", False),
        ("far.example/a/b:1", "far.example/*", True),
        ("far.example.evil/a", "far.example/*", False),
        ("localhost:5000/a", "localhost:5000/*", True),
        (f"a@sha256:{'0' * 64}", "a:latest", False),
    ],
)
def test_patterns_cover_names_with_their_registry(name: str, pattern: str, covered: bool):
    """A pattern without a registry is one of Docker Hub's, as a name is."""
    image = names.image(name)
    assert image
    assert image.matches([pattern]) is covered


@pytest.mark.parametrize("name", ["", "../x", "a//b", "x/..", "A", "a b", "a:b:c", "$x", "a" * 900])
def test_what_is_no_name_of_an_image_is_none(name: str):
    """It is neither asked for nor let through."""
    assert names.image(name) is None


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 200_000,
        "ADD \\\n" * 40_000,
        "<<\n" + "ADD \\\n" * 40_000,
        "FROM scratch AS a\n" * 12_000,
        "<<\nFROM a\n" + "".join(f"ARG A{n}=$A{n - 1}\n" for n in range(12_000)),
        "ARG A=xxxxxxxxxx\n" + "".join(f"ARG A{n}=$A{n - 1}$A{n - 1}\n" for n in range(9_000)),
        "FROM " + "${A:-" * 40_000,
        "FROM a\nADD " + "a@" * 100_000,
        "FROM a\nCOPY " + "--from " * 30_000,
    ],
)
def test_reading_takes_a_time_that_grows_with_the_file_alone(text: str):
    """200 KB of the worst of each kind; a square of that would take hours."""
    start = time.process_time()
    assert list(fetches(text, {})) is not None
    assert time.process_time() - start < 10
