"""Turns the bytes that a process writes into lines, within bounded memory."""

import codecs

from config.masker import Masker
from workers.ledger.model.guard import Say

LONGEST_LINE = 8192
"""Characters after which a line is broken."""


class Lines:
    """Gives `say` whole lines as they come; what is not UTF-8 is replaced.

    A line that is broken is masked before, or a secret at that place would be known to nobody.
    """

    def __init__(self, say: Say, masker: Masker) -> None:
        self._say = say
        self._masker = masker
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Take some output; `final` gives out the last line even without its end."""
        text = self._rest + self._decoder.decode(data, final)
        whole, newline, self._rest = text.rpartition("\n")
        ready = [self._broken(whole)] if newline else []
        if len(self._rest) > LONGEST_LINE:
            at = self._masker.gap(self._rest)
            ready.append(self._broken(self._rest[:at]))
            self._rest = self._rest[at:]
        if final and self._rest:
            ready.append(self._rest)
            self._rest = ""
        if ready:
            self._say("\n".join(ready).replace("\r\n", "\n").removesuffix("\r"))

    def _broken(self, text: str) -> str:
        """The text with its long lines broken; written for floods of short ones."""
        if max(map(len, text.split("\n"))) <= LONGEST_LINE:
            return text
        return "\n".join(
            line[at : at + LONGEST_LINE]
            for line in self._masker.mask(text).split("\n")
            for at in range(0, max(len(line), 1), LONGEST_LINE)
        )
