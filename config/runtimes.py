"""Lambda's runtimes by name, so that a misspelt one is told before anything is built."""

import difflib

RUNTIMES = (
    *(f"python3.{minor}" for minor in range(8, 15)),
    *(f"nodejs{major}.x" for major in range(16, 25, 2)),
    *("provided.al2", "provided.al2023"),
    *("java8.al2", "java11", "java17", "java21", "java25"),
    *("dotnet6", "dotnet8", "dotnet10"),
    *("ruby3.2", "ruby3.3", "ruby3.4"),
)
"""Those that functions had in 2026. AWS adds some: another name is warned of, not refused.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""


def unknown(runtime: str) -> str | None:
    """Why a runtime's name looks wrong, with the nearest that there is; None for a known one."""
    if runtime in RUNTIMES:
        return None
    near = difflib.get_close_matches(runtime, RUNTIMES, 1)
    return f"no runtime that Slipway knows is called {runtime!r}" + (
        f"; did you mean {near[0]!r}?" if near else ""
    )
