"""The key of session cookies: the one that is set, or one that is made once and kept."""

import os
import secrets
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

from config.settings import Settings

NAME = "secret-key"
NEW_BYTES = 20


def cookie_key(chosen: Settings) -> str:
    """SLIPWAY_SECRET_KEY, else that of the data folder, which is made if it is missing (0600).

    Where nothing can be kept, one that this process and those it forks share: sessions end with it.
    """
    if chosen.secret_key:
        return chosen.secret_key.get_secret_value()
    path = chosen.data_dir / NAME
    with suppress(OSError):
        if not path.exists():
            _make(path)
        if kept := path.read_text().strip():
            return kept
    return _own()


def keeps_key(chosen: Settings) -> bool:
    """Whether sessions outlive this process: the key is set, or could be kept."""
    return cookie_key(chosen) != _own()


@cache
def _own() -> str:
    return secrets.token_hex(NEW_BYTES)


def _make(path: Path) -> None:
    """Write a new key; of several processes that do so at once, the first one's counts."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Temporary files are 0600 from their beginning, and a link never replaces what is there.
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{NAME}-") as new:
        new.write(f"{secrets.token_hex(NEW_BYTES)}\n")
        new.flush()
        os.fsync(new.fileno())
        with suppress(FileExistsError):
            os.link(new.name, path)
