"""A scanner that failed: whose turn it is, by what it printed as errors."""

import re

from workers.ledger.model.errors import OurError, PassingError, RunError, UserError

SHOWN = 3
_ERROR = re.compile(r"(?:\d\d:\d\d:\d\d\.\d{3} )?(?:\[\w+\] )?ERROR:? +(\S.*)")
_THROWN = re.compile(r"(?:Caused by: )?[\w.$]+(?:Exception|Error): (\S.*)")
_EMPTY = re.compile(r"Error during SonarScanner|Re-run SonarScanner")
_OPERATORS = re.compile(
    r"not authorized|HTTP 40[13]|error 40[13]|project not found|insufficient privileges"
    r"|not permitted|certificat|PKIX|truststore|OutOfMemory|Java heap space|No space left"
    r"|Developer Edition|license|sonar\.organization",
    re.IGNORECASE,
)
_PASSING = re.compile(
    r"can ?not be reached|Call to URL \[\S+\] failed|Fail(ed)? to (request|connect|get|query)"
    r"|connection (refused|reset)|UnknownHost|timed? ?out|HTTP (429|5\d\d)|error 5\d\d",
    re.IGNORECASE,
)


def error_in(line: str) -> str | None:
    """What a line of the scanner's output says is wrong, if it is such a line."""
    match = _ERROR.match(line) or _THROWN.match(line)
    return match[1] if match and not _EMPTY.search(match[1]) else None


def fault(exit_code: int, errors: list[str]) -> RunError:
    """Whose turn it is: the token and the project the operator's, the sources the repository's.

    Nobody's when the server was out of reach. Exit code 1: the scanner or its way to the server,
    2: what it was told, 3: the analysis itself (Exit.java of sonar-scanner-cli).
    """
    said = "; ".join(dict.fromkeys(errors[:SHOWN])) or "it does not say why; the log has the rest"
    text = f"sonar-scanner failed with exit code {exit_code}: {said}"
    everything = "\n".join(errors)
    if _OPERATORS.search(everything):
        return OurError(
            f"{text}. The operator sees to SONAR_TOKEN, its right to analyse this project, and "
            "the server"
        )
    if _PASSING.search(everything):
        return PassingError(text)
    return UserError(text) if errors else OurError(text)
