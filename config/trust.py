"""Whose certificates are trusted: everybody's authorities, and those that the operator names."""

import os
import re
import ssl
import tempfile
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH

VARIABLE = "SLIPWAY_CA_BUNDLE"
TURN = f"the operator names the file of its authority's certificate in {VARIABLE}"
_WHY = re.compile(r"certificate verify failed: ([^()]*?)\s*(?:\(_ssl|$)")


def context(bundle: Path | None) -> ssl.SSLContext:
    """What a TLS client of ours trusts."""
    trusted = ssl.create_default_context()
    if bundle:
        trusted.load_verify_locations(bundle)
    return trusted


def session(bundle: Path | None) -> requests.Session:
    """A session of `requests` with that trust."""
    made = requests.Session()
    if bundle:
        made.mount("https://", _Adapter(bundle))
    return made


def file(bundle: Path | None, folder: Path) -> Path | None:
    """A file for programs that want one, with everybody's authorities too; None: as they are.

    Raises:
        OSError: it can't be written.
    """
    if bundle is None:
        return None
    system = Path(ssl.get_default_verify_paths().openssl_cafile)
    known = (system, Path(DEFAULT_CA_BUNDLE_PATH), bundle)
    text = b"\n".join(path.read_bytes() for path in known if path.is_file())
    target = folder.absolute() / "authorities.pem"
    if not (target.is_file() and target.read_bytes() == text):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as new:
            new.write(text)
        os.replace(new.name, target)  # noqa: PTH105 - in one step, while others read it
    return target


def distrust(error: BaseException) -> str | None:
    """What is wrong with a server's certificate, if that is the error."""
    text = str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in text:
        found = _WHY.search(text)
        return found[1] if found else "it can't be verified"
    return None


class _Adapter(HTTPAdapter):
    """Connections that trust the bundle beside what `requests` trusts."""

    def __init__(self, bundle: Path) -> None:
        self._bundle = bundle
        super().__init__()

    def init_poolmanager(self, *arguments: object, **options: object) -> None:
        """Make the pool of connections."""
        super().init_poolmanager(*arguments, ssl_context=context(self._bundle), **options)  # type: ignore[arg-type]

    def proxy_manager_for(self, proxy: str, **options: object) -> object:
        """Make the pool of connections that go through a proxy."""
        return super().proxy_manager_for(proxy, ssl_context=context(self._bundle), **options)
