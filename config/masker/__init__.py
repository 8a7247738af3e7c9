"""Secrets out of text: raw, and in the forms in which tools print them."""

import base64
import bisect
import json
import urllib.parse
from collections.abc import Iterable, Iterator

from config.masker.bare import adds, bare
from config.masker.beginnings import Beginnings, telling
from config.masker.disguises import LONGEST, Disguises

MASK = "***"
MIN_LENGTH = 6
CUT = "…"
_CUT_IN_JSON = json.dumps(CUT)[1:-1]


def cut(text: str, most: int) -> str:
    """The beginning of a text; `…` at its end, by which a masker knows, if there was more."""
    return text if len(text) <= most else f"{text[:most]}{CUT}"


class Masker:
    """Replaces every secret of at least six characters by `***`; shorter ones would hide words."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        self._forms = tuple(sorted(forms, key=len))
        self._disguises = Disguises(forms)
        self._beginnings = Beginnings(forms)
        self._written = _Any(forms)
        # What indents a line goes with its end, also where a secret begins with it.
        begin = {bare(form).lstrip(" \t")[:LONGEST] for form in forms}
        self._shown = _Any({*begin, *self._disguises.forms})
        self._in_json = telling({json.dumps(form)[1:-1] for form in forms})

    def __repr__(self) -> str:
        """Never the secrets."""
        return f"Masker({len(self._forms)} forms)"

    def mask(self, text: str) -> str:
        """The text without secrets, also where two of them overlap, or `…` stands for an end."""
        if not self._forms or len(text) < MIN_LENGTH:
            return text
        whole = self._replaced(text)
        *shortened, last = whole.split(CUT)
        return "".join([*(f"{self._without_beginning(part)}{CUT}" for part in shortened), last])

    def _replaced(self, text: str) -> str:
        spans = self.spans(text)
        if not spans:
            return text
        shown, at = [], 0
        for start, end in spans:
            shown += [text[at:start], MASK]
            at = end
        return "".join([*shown, text[at:]])

    def _without_beginning(self, text: str) -> str:
        bare = text.rstrip("'\"")
        at = self.begun(bare)
        if len(bare) - at < MIN_LENGTH:
            return text
        return f"{text[:at]}{MASK}{text[len(bare) :]}"

    def touches(self, line: str) -> bool:
        """Whether a line of ASCII-only JSON may hold a secret: any text of it that has one does."""
        return (
            _CUT_IN_JSON in line
            or any(form in line for form in self._in_json)
            or self._disguises.possible(line)
        )

    def stream(self) -> "MaskingStream":
        """A masker for one text that comes in pieces."""
        return MaskingStream(self)

    def spans(self, text: str, known: int = 0) -> list[tuple[int, int]]:
        """Where secrets stand, in order and joined where they overlap; `known` begin the text."""
        joined = [(0, known)] if known else []
        for start, end in sorted(self._found(text)):
            if joined and start < joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        return joined

    def begun(self, text: str) -> int:
        """Where the first secret begins that the end of the text may have cut; else its length."""
        return min(self._disguises.begun(text), self._beginnings.begun(text))

    def gap(self, text: str) -> int:
        """The last place where a text may be cut in two, more to come, without cutting a secret."""
        at = self.begun(text)
        return min([at, *(start for start, end in self.spans(text) if end > at)]) or len(text)

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        shown = bare(text)
        disguised = self._shown.within(shown)
        if disguised or (adds(text) and self._written.within(text)):
            for form in [form for form in self._forms if form in text]:
                at = text.find(form)
                while at >= 0:
                    yield at, at + len(form)
                    at = text.find(form, at + 1)
        if disguised:
            yield from self._disguises.spans(text, shown)
        yield from self._disguises.overwritten(text)


class _Any:
    """Whether a text may hold any of many words: it does if it holds one that tells of them."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = telling(words)
        self._lengths = tuple(map(len, self._words))

    def within(self, text: str) -> bool:
        # Most texts are shorter than most secrets, and a log line is many texts.
        short_enough = self._words[: bisect.bisect_right(self._lengths, len(text))]
        return any(word in text for word in short_enough)


class MaskingStream:
    """Masks a text that comes in pieces; holds back only what may be the start of a secret."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._held = ""
        # How much of what is held is known to be secret, and was shown as a mask already.
        self._known = 0

    def feed(self, text: str) -> str:
        """The next piece in, what may be shown out."""
        text = self._held + text
        return self._show(text, self._masker.begun(text))

    def flush(self) -> str:
        """The rest, when no piece follows."""
        return self._show(self._held, len(self._held))

    def _show(self, text: str, end: int) -> str:
        shown, at, known = [], 0, 0
        for first, last in self._masker.spans(text, self._known):
            shown_before = first == 0 and self._known > 0
            if first >= end and not shown_before:
                break
            shown += [text[at:first], "" if shown_before else MASK]
            at = min(last, end)
            known = max(0, last - end)
        shown.append(text[at:end])
        self._held, self._known = text[end:], known
        return "".join(shown)


def _forms(secret: str) -> Iterator[str]:
    texts = {secret, secret.strip()}
    if "\n" in secret:
        # The lines of a key, since tools change line ends; not its public first and last line.
        texts |= {line.strip() for line in secret.splitlines() if not line.startswith("-----")}
    for text in texts:
        if len(text) >= MIN_LENGTH:
            yield from (form for form in _written(text) if len(form) >= MIN_LENGTH)


def _written(text: str) -> Iterator[str]:
    raw = text.encode("utf-8", "surrogatepass")
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    yield from (raw.hex(), raw.hex().upper())
    for quoted in (
        urllib.parse.quote(raw, ""),
        urllib.parse.quote(raw),
        urllib.parse.quote_plus(raw),
    ):
        yield from (quoted, _lower_escapes(quoted))
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        yield from (whole, whole.rstrip("="))
        # Inside a longer text, such as "user:secret", the secret starts at any of three places.
        for shift in range(3):
            first = (shift * 8 + 5) // 6
            yield encode(bytes(shift) + raw).decode()[first : (shift + len(raw)) * 8 // 6]


def _lower_escapes(quoted: str) -> str:
    first, *rest = quoted.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in rest)])
