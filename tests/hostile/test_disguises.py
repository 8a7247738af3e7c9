"""A secret in the shapes that terminals and encoders give it: colours, overwriting, escapes."""

import base64
import textwrap
import time
from collections.abc import Callable

import pytest

from config.masker import Masker
from config.masker.bare import bare

SECRET = "Sup3r-Secret+Value/0815"
SEVENTH = 7


def coloured(text: str) -> str:
    """A colour before each character."""
    return "".join(f"\x1b[3{index % 8}m{char}\x1b[0m" for index, char in enumerate(text))


def wrapped(text: str) -> str:
    """Base64 in short lines."""
    return "\n".join(textwrap.wrap(base64.b64encode(text.encode()).decode(), 12))


SHAPES = {
    "one colour inside": f"{SECRET[:SEVENTH]}\x1b[1;31m{SECRET[SEVENTH:]}",
    "a colour for each character": coloured(SECRET),
    "a link's sequence inside": f"{SECRET[:5]}\x1b]8;;http://x\x07{SECRET[5:]}",
    "a carriage return inside": f"{SECRET[:5]}\r{SECRET[5:]}",
    "line ends inside": "\r\n  ".join(textwrap.wrap(SECRET, 8)),
    "wrapped base64": wrapped(SECRET),
    "wrapped base64 of more": wrapped(f"user:{SECRET}"),
    "invisible spaces": "\u200b".join(SECRET),
    "hexadecimal escapes": "".join(f"\\x{ord(c):02x}" for c in SECRET),
    "Unicode escapes": "".join(f"\\u{ord(c):04x}" for c in SECRET),
    "octal escapes": "".join(f"\\{ord(c):03o}" for c in SECRET),
    "per cent": "".join(f"%{ord(c):02X}" for c in SECRET),
    "entities": "".join(f"&#{ord(c)};" for c in SECRET),
    "hexadecimal entities": "".join(f"&#x{ord(c):X};" for c in SECRET),
    "escapes now and then": SECRET.replace("e", "\\x65").replace("u", "%75"),
}
OVERWRITTEN = (
    f"........{SECRET[8:]}\r{SECRET[:8]}",
    f"{SECRET[:10]}xx\b\b{SECRET[10:]}",
    f"\x1b[32mnothing\x1b[0m\r{SECRET[:3]}\x1b[1m{SECRET[3:9]}x\b{SECRET[9:]}",
)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_disguised_secret_is_masked(shape: str) -> None:
    """It is there for whoever reads it without a mask; with one, what is around it stays."""
    text = f"begin <{SHAPES[shape]}> end"
    plain = Masker(["another-secret-of-ours"]).mask(text)
    assert plain == text
    masked = Masker([SECRET]).mask(text)
    assert "***" in masked
    assert masked.startswith("begin <")
    assert masked.endswith("> end")
    assert len(masked) < len("begin <***> end") + 16
    assert SECRET not in bare(masked)


@pytest.mark.parametrize("shown", OVERWRITTEN)
def test_a_secret_that_a_terminal_puts_together_is_masked(shown: str) -> None:
    """The whole line goes; the lines around it stay."""
    masker = Masker([SECRET])
    assert masker.mask(f"before\n{shown}\nafter\r\n") == "before\n***\nafter\r\n"


@pytest.mark.parametrize("shape", [name for name in SHAPES if "line" not in name])
def test_a_disguised_secret_is_masked_in_a_stream(shape: str) -> None:
    """Cut in two anywhere, also within a sequence, it is as masked as in one piece."""
    text = SHAPES[shape]
    masker = Masker([SECRET])
    whole = masker.mask(f"a {text} z\n")
    for cut in range(len(text)):
        stream = masker.stream()
        shown = stream.feed(f"a {text[:cut]}") + stream.feed(f"{text[cut:]} z\n") + stream.flush()
        assert shown == whole, cut


def test_what_is_no_secret_stays_as_it_is() -> None:
    """Colours, escapes and line ends around other words are left alone."""
    text = "\x1b[32mok\x1b[0m 100%25 done\r\n\\x41\\u0042 &#67;\nnext\rline\n"
    assert Masker([SECRET]).mask(text) == text


def test_masking_stays_fast() -> None:
    """A coloured log of 4 MB with 20 secrets takes seconds at most, and no shape makes it crawl."""
    masker = Masker([f"{SECRET}-{number}" for number in range(20)])
    line = "\x1b[36m[build]\x1b[0m step 12 of 80: compiled 100%20 src/\\x41.c in 12 ms\n"
    for text in (line * 800, "\x1b]" * 25_000, "\\x" * 25_000, "a\r" * 25_000, "\n " * 25_000):
        began = time.process_time()
        for _ in range(20):
            masker.mask(text)
        assert time.process_time() - began < 5, text[:10]


def seconds(work: Callable[[], object]) -> float:
    """Processor time of the quickest of several tries."""
    tried = []
    for _ in range(7):
        began = time.process_time()
        work()
        tried.append(time.process_time() - began)
    return min(tried)


def test_a_plain_log_costs_little_more_than_a_look_for_each_form() -> None:
    """The look for disguises costs no second one for each form, whole or line by line."""
    secrets = [f"{SECRET}-{number}-{'x' * number}" for number in range(10)]
    masker = Masker(secrets)
    forms = masker._forms
    lines = [f"step {n} of 80: compiled src/module_{n % 7}.c in 12 ms\n" for n in range(2000)]
    text = "".join(lines)
    stream = masker.stream()
    looks = seconds(lambda: [form in text for form in forms])
    assert seconds(lambda: masker.mask(text)) < 2 * looks
    by_line = seconds(lambda: [[form in line for form in forms] for line in lines])
    assert seconds(lambda: [stream.feed(line) for line in lines]) < 3 * by_line
