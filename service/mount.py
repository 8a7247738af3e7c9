"""The path of the public URL: our addresses begin with it, whether a proxy strips it or not."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


class Mount:
    """A path that addresses of ours begin with; `taken` are the first words behind it."""

    def __init__(self, root: str, taken: Iterable[str] = ()) -> None:
        self._root = unquote(root)
        # Where an address of ours begins like the path, only the proxy can know which is meant.
        self._stays = not root or _first_word(self._root) in set(taken)

    def inside(self, path: str) -> str:
        """An address without that path, if it begins so."""
        if self._stays or not (path == self._root or path.startswith(f"{self._root}/")):
            return path
        return path[len(self._root) :] or "/"


class Mounted:
    """A WSGI application under a path; `taken` are the first words of its own addresses.

    Source: PEP 3333 on SCRIPT_NAME, of which Flask makes the addresses of redirects.
    """

    def __init__(self, app: "WSGIApplication", root: str, taken: Iterable[str] = ()) -> None:
        self._app = app
        self._root = unquote(root).encode().decode("latin-1")
        self._mount = Mount(self._root, taken)

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        """Serve a request."""
        environ["SCRIPT_NAME"] = self._root
        environ["PATH_INFO"] = self._mount.inside(environ.get("PATH_INFO", ""))
        return self._app(environ, start_response)


def first_words(rules: Iterable[object]) -> set[str]:
    """The first words of an application's addresses, from its rules."""
    return {_first_word(str(rule)) for rule in rules} - {""}


def _first_word(path: str) -> str:
    return path.split("/")[1] if path.startswith("/") else ""
