"""What a site's files are served with: type, encoding and how long they may be kept.

Only a name that changes with its content may be kept for ever, so a name counts as such only if it
plainly holds a hash, or if the repository says so. A wrong "no" costs a question to the server, a
wrong "yes" a stale file for a year.
"""

import posixpath
import re
from collections.abc import Callable, Container, Mapping
from types import MappingProxyType
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from workers.aws.sites.media_types import UNKNOWN, by_extension

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"
VARIANTS = {".gz": "gzip", ".br": "br"}
# Files without an extension whose type is fixed from outside (Apple's "Supporting universal links",
# RFC 9116 is .txt and needs no help).
NAMES = {".well-known/apple-app-site-association": "application/json"}
NO_TYPES: Mapping[str, str] = MappingProxyType({})
PAGES = ("text/html", "application/xhtml+xml")
_COMPRESSIBLE = re.compile(
    r"text/.+|.+\+(json|xml)|application/(json5?|jsonl|x-ndjson|xml|wasm|yaml|toml|javascript)"
    r"|font/(ttf|otf)|image/x-icon"
)
_SEPARATORS = re.compile(r"[.\-_~]")
_HEX = re.compile(r"[0-9a-f]{8,64}")
_BASE32 = re.compile(r"[A-Z2-7]{8}")  # esbuild, so Angular's names since version 17
_BASE64 = re.compile(r"[A-Za-z0-9]{8}")  # Vite and Rollup
_LONG = 16


class Headers(BaseModel):
    """What S3 sends with a file."""

    model_config = ConfigDict(frozen=True)

    content_type: str
    cache_control: str
    content_encoding: str | None = None


class Content(NamedTuple):
    """What a file's bytes tell of its type: whether they are UTF-8, and begin as HTML does."""

    utf8: bool
    html: bool = False


def headers(
    name: str,
    *,
    content: Callable[[str], Content],
    others: Container[str],
    immutable: Callable[[str], bool],
    types: Mapping[str, str] = NO_TYPES,
) -> Headers:
    """The headers of a file.

    `others` are the names of the whole site, `content` tells of their bytes; `immutable` and
    `types` (by extension or name) are what the repository itself says. The charset is named only
    if it is right.
    """
    original, encoding = _original(name, content, others, types)
    known = content(original)
    kind = _kind(original, known, types)
    charset = "; charset=utf-8" if known.utf8 and _is_text(kind) else ""
    kept = _bare(kind) not in PAGES and (is_hashed(original) or immutable(name))
    return Headers(
        content_type=kind + charset,
        cache_control=IMMUTABLE if kept else REVALIDATED,
        content_encoding=encoding,
    )


def is_page(file_headers: Headers) -> bool:
    """Whether it is HTML, which goes last."""
    return _bare(file_headers.content_type) in PAGES


def is_hashed(name: str) -> bool:
    """Whether a file's name holds a hash of its content, such as `main-5QYBUMXV.js`."""
    base = posixpath.basename(name)
    stem, dot, _ = base.rpartition(".")
    if not dot:
        return False
    segments = _SEPARATORS.split(stem)
    if len(segments) == 1:
        # The name is nothing but a hash; a short one may be a word.
        return len(stem) >= _LONG and bool(_HEX.fullmatch(stem)) and _mixed(stem)
    return any(_is_hash(segment) for segment in segments[1:])


def _is_hash(segment: str) -> bool:
    if not _mixed(segment):
        return False
    if _HEX.fullmatch(segment) or _BASE32.fullmatch(segment):
        return True
    cases = any(c.isupper() for c in segment) and any(c.islower() for c in segment)
    return cases and bool(_BASE64.fullmatch(segment))


def _mixed(segment: str) -> bool:
    """Whether a digit stands before a letter: dates and words with a number after them do not."""
    return bool(re.search(r"[0-9].*[A-Za-z]", segment))


def _original(
    name: str,
    content: Callable[[str], Content],
    others: Container[str],
    types: Mapping[str, str],
) -> tuple[str, str | None]:
    """The file that a compressed variant stands for, and the encoding.

    Plainly meant is `app.js.gz` beside `app.js`. A lone `data.gz`, or an archive, is a download.
    """
    original, extension = posixpath.splitext(name)
    encoding = VARIANTS.get(extension)
    if not encoding or original not in others:
        return name, None
    kind = _kind(original, content(original), types)
    return (original, encoding) if _COMPRESSIBLE.fullmatch(_bare(kind)) else (name, None)


def _kind(name: str, content: Content, types: Mapping[str, str]) -> str:
    """By the repository's own word, by the extension; without one, by what is in it."""
    extension = posixpath.splitext(name)[1].lower()
    for key in (name, posixpath.basename(name), extension):
        if key and key in types:
            return types[key]
    if extension or name in NAMES:
        return NAMES.get(name) or by_extension(name) or UNKNOWN
    if content.html:
        return PAGES[0]
    return "text/plain" if content.utf8 else UNKNOWN


def _bare(kind: str) -> str:
    return kind.partition(";")[0].strip()


def _is_text(kind: str) -> bool:
    # JSON has no charset: RFC 8259, section 11. Where one is named already, it is the repository's.
    return ";" not in kind and (kind.startswith("text/") or kind.endswith(("/xml", "+xml")))
