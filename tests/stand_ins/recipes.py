"""How base images are made from a distribution's packages, one recipe for each family."""

import shutil
from dataclasses import dataclass, replace

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Modules whose bytecode is worth having: what a test run and a build import.
WARM = (
    "asyncio, compileall, email, http.server, json, logging, sqlite3, ssl, unittest.mock, zipfile"
)


@dataclass(frozen=True)
class Recipe:
    """How one family of images is made; `{v}` is the version in the image's name.

    `links` are names in /usr/local and what they lead to, `version` makes the program tell its
    version, `command` is what the image runs, `warm` is run once by the program, `brings` is what
    comes from a language's own registry besides.
    """

    package: str
    program: str
    command: str
    links: tuple[tuple[str, str], ...] = ()
    version: tuple[str, ...] = ("--version",)
    variables: tuple[str, ...] = (f"PATH={PATH}",)
    warm: tuple[str, ...] = ()
    brings: str = ""

    def of(self, version: str) -> "Recipe":
        """The recipe for one version."""
        return replace(
            self,
            package=self.package.format(v=version),
            program=self.program.format(v=version),
            command=self.command.format(v=version),
            links=tuple((link, target.format(v=version)) for link, target in self.links),
        )


_DEBIANS_NODE = Recipe("nodejs", "/usr/bin/node", "node")


RECIPES = {
    "python": Recipe(
        "python{v}",
        "/usr/bin/python{v}",
        "python{v}",
        (("bin/python3", "/usr/bin/python{v}"), ("bin/python", "/usr/bin/python{v}")),
        warm=("-c", f"import {WARM}"),
        brings="pip",
    ),
    # npm has binaries of every version, Debian of one.
    "node": Recipe("libstdc++6", "/usr/local/bin/node", "node", brings="node")
    if shutil.which("npm")
    else _DEBIANS_NODE,
    # As in the official image, Go is below /usr/local/go and what it installs below /go.
    "golang": Recipe(
        "golang-{v}-go",
        "/usr/lib/go-{v}/bin/go",
        "bash",
        (("go", "/usr/lib/go-{v}"),),
        version=("version",),
        variables=(f"PATH=/go/bin:/usr/local/go/bin:{PATH}", "GOPATH=/go"),
    ),
}
