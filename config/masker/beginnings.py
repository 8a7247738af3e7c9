"""Which of many words the end of a text may have cut, and which few tell of all of them."""

from collections.abc import Iterable


def telling(words: Iterable[str]) -> tuple[str, ...]:
    """The fewest words of which each word holds one, by length: none of these, none of all."""
    told: list[str] = []
    for word in sorted(words, key=len):
        if not any(one in word for one in told):
            told.append(word)
    return tuple(told)


class Beginnings:
    """Finds where the first word begins that the end of a text may have cut."""

    def __init__(self, words: Iterable[str]) -> None:
        self._firsts: set[str] = set()
        self._by_pair: dict[str, list[str]] = {}
        for word in words:
            self._firsts.add(word[0])
            # What a cut leaves of a word ends with one of its pairs, unless it is one character.
            for pair in {word[at : at + 2] for at in range(len(word) - 2)}:
                self._by_pair.setdefault(pair, []).append(word)

    def begun(self, text: str) -> int:
        """Where it begins, or the length of the text if it ends with no beginning."""
        earliest = len(text) - (text[-1:] in self._firsts)
        for word in self._by_pair.get(text[-2:], ()):
            at = text.find(word[0], max(0, len(text) - len(word) + 1))
            while 0 <= at < earliest:
                if word.startswith(text[at:]):
                    earliest = at
                at = text.find(word[0], at + 1)
        return earliest
