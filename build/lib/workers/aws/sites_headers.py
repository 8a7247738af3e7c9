"""What a site's files are served with: type, encoding and how long they may be kept.

Only a name that changes with its content may be kept for ever, so a name counts as such only if it
plainly holds a hash, or if the repository says so. A wrong "no" costs a question to the server, a
wrong "yes" a stale file for a year.
"""

import mimetypes
import posixpath
import re
from collections.abc import Callable, Container

from pydantic import BaseModel, ConfigDict

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"
VARIANTS = {".gz": "gzip", ".br": "br"}
# What Python's table lacks, has in an outdated form, or has differently from version to version.
TYPES = {
    ".avif": "image/avif",
    ".br": "application/octet-stream",
    ".cjs": "text/javascript",
    ".eot": "application/vnd.ms-fontobject",
    ".geojson": "application/geo+json",
    ".gz": "application/gzip",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".otf": "font/otf",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
# Files without an extension whose type is fixed from outside (Apple's "Supporting universal links",
# RFC 9116 is .txt and needs no help).
NAMES = {".well-known/apple-app-site-association": "application/json"}
UNKNOWN = "application/octet-stream"
PAGES = ("text/html", "application/xhtml+xml")
_COMPRESSIBLE = re.compile(
    r"text/.+|application/(.+\+)?(json|xml)|application/(wasm|yaml|javascript)|image/svg\+xml"
    r"|font/(ttf|otf)|image/x-icon"
)
_SEPARATORS = re.compile(r"[.\-_~]")
_HEX = re.compile(r"[0-9a-f]{8,64}")
_BASE32 = re.compile(r"[A-Z2-7]{8}")  # esbuild, so Angular's names since version 17
_BASE64 = re.compile(r"[A-Za-z0-9]{8}")  # Vite and Rollup
_LONG = 16
_table = mimetypes.MimeTypes()


class Headers(BaseModel):
    """What S3 sends with a file."""

    model_config = ConfigDict(frozen=True)

    content_type: str
    cache_control: str
    content_encoding: str | None = None


def headers(
    name: str, *, utf8: bool, others: Container[str], immutable: Callable[[str], bool]
) -> Headers:
    """The headers of a file.

    `others` are the names of the whole site, `immutable` is what the repository itself says of a
    name, and `utf8` tells whether the bytes are: the charset is named only if it is right.
    """
    original, encoding = _original(name, others)
    kind = _kind(original)
    charset = "; charset=utf-8" if utf8 and _is_text(kind) else ""
    kept = kind not in PAGES and (is_hashed(original) or immutable(name))
    return Headers(
        content_type=kind + charset,
        cache_control=IMMUTABLE if kept else REVALIDATED,
        content_encoding=encoding,
    )


def is_page(file_headers: Headers) -> bool:
    """Whether it is HTML, which goes last."""
    return file_headers.content_type.partition(";")[0] in PAGES


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


def _original(name: str, others: Container[str]) -> tuple[str, str | None]:
    """The file that a compressed variant stands for, and the encoding.

    Plainly meant is `app.js.gz` beside `app.js`. A lone `data.gz`, or an archive, is a download.
    """
    original, extension = posixpath.splitext(name)
    encoding = VARIANTS.get(extension)
    if encoding and original in others and _COMPRESSIBLE.fullmatch(_kind(original)):
        return original, encoding
    return name, None


def _kind(name: str) -> str:
    if name in NAMES:
        return NAMES[name]
    extension = posixpath.splitext(name)[1].lower()
    return TYPES.get(extension) or _table.types_map[True].get(extension) or UNKNOWN


def _is_text(kind: str) -> bool:
    # JSON has no charset: RFC 8259, section 11.
    return kind.startswith("text/") or kind.endswith(("/xml", "+xml"))
