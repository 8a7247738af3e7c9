"""The path of the public URL: our addresses begin with it, whether a proxy strips it or not."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


class Mounted:
    """A WSGI application under a path; `taken` are the first words of its own addresses.

    Source: PEP 3333 on SCRIPT_NAME, of which Flask makes the addresses of redirects.
    """

    def __init__(self, app: "WSGIApplication", root: str, taken: Iterable[str] = ()) -> None:
        self._app = app
        self._root = unquote(root).encode().decode("latin-1")
        # Where an address of ours begins like the path, only the proxy can know which is meant.
        self._stays = _first_word(self._root) in set(taken)

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        """Serve a request."""
        environ["SCRIPT_NAME"] = self._root
        path = environ.get("PATH_INFO", "")
        if not self._stays and (path == self._root or path.startswith(f"{self._root}/")):
            environ["PATH_INFO"] = path[len(self._root) :] or "/"
        return self._app(environ, start_response)


def first_words(rules: Iterable[object]) -> set[str]:
    """The first words of an application's addresses, from its rules."""
    return {_first_word(str(rule)) for rule in rules} - {""}


def _first_word(path: str) -> str:
    return path.split("/")[1] if path.startswith("/") else ""
