"""The answer of an action that is not taken."""


class Refused(Exception):  # noqa: N818 - an answer, and nothing that went wrong
    """What somebody asked for is not done: the status of HTTP for it, and a sentence for them.

    `what`, `who` and `run` are there where somebody is not allowed to: it is written down.
    """

    def __init__(
        self, status: int, sentence: str, *, what: str = "", who: str = "", run: str = ""
    ) -> None:
        """`status` as in RFC 9110."""
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.what = what
        self.who = who
        self.run = run
