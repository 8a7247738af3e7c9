"""Turns the bytes that a process writes into lines, within bounded memory."""

import codecs

from workers.docker.guard import Say

LONGEST_LINE = 8192
"""Characters after which a line is broken."""


class Lines:
    """Gives `say` whole lines as they come; what is not UTF-8 is replaced."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Take some output; `final` gives out the last line even without its end."""
        text = self._rest + self._decoder.decode(data, final)
        whole, newline, self._rest = text.rpartition("\n")
        ready = [_broken(whole)] if newline else []
        while len(self._rest) > LONGEST_LINE:
            ready.append(self._rest[:LONGEST_LINE])
            self._rest = self._rest[LONGEST_LINE:]
        if final and self._rest:
            ready.append(self._rest)
            self._rest = ""
        if ready:
            self._say("\n".join(ready).replace("\r\n", "\n").removesuffix("\r"))


def _broken(text: str) -> str:
    """The text with its long lines broken; written for floods of short ones."""
    lines = text.split("\n")
    if max(map(len, lines)) <= LONGEST_LINE:
        return text
    return "\n".join(
        line[at : at + LONGEST_LINE]
        for line in lines
        for at in range(0, max(len(line), 1), LONGEST_LINE)
    )
