"""The page's parts about whole deploys: release, site, memory."""

from collections.abc import Callable

from benchmarks.memory import LIMIT
from benchmarks.release import BOTO3, LIMITS, OURS, SHELL
from benchmarks.site import AGAIN, FIRST, SYNC
from benchmarks.tables import table, verdict

RELEASE = """
## release

From a finished package to live aliases: one package of {megabytes} MB for 1, 4 and 20 functions,
against the AWS stand-in without any delay.

- *Slipway*: a push; from the start of its stage `publish` to the end of `release`, as the run's
  record has them, with every guard: write-once packages, the hash compared at each step, a lock for
  each function, git ancestry, compare-and-set of the aliases, and Lambda's quota.
- *aws*: the book's shell steps, one function after the other: `aws s3 cp`, `update-function-code`,
  `publish-version`, `update-alias`.
- *boto3*: the same four calls without a guard, 8 threads, in a fresh process.

{table}

{verdicts}

AWS allows 15 calls a second of Lambda's control plane for an account in a region, all callers
together; `GetFunction` has a quota of its own. Slipway keeps to 14 in any second. A release needs
{calls} such calls a function ({named}),
so that {most} functions take {least:.0f} s at the very least; with three calls, which no deploy can
do without, and all 15, it would be {floor:.0f} s. The stand-in has no quota and the other two do
not keep to one: on AWS a part of their calls would be refused.
"""
SITE = """
## site

{files:,} files, {megabytes} MB, one in {pages} of them a page, to a stand-in of S3 that answers
each request {delay:.0f} ms late and needs next to no time itself.

- *Slipway*: a push; from the start of `publish` to the end of `release`. Checked after each turn:
  all files and their bytes, `Cache-Control` of each, and that no page was in its place before all
  assets were.
- *aws s3 sync*: no headers, no order.

{table}

{verdicts}
"""
MEMORY = """
## memory

One push with a build output of {output} MB in {files:,} files and a check that prints {log} MB,
and a small one before it. *Largest* is the peak of that process of the worker which had most
(`VmHWM`); *all* is the most that the worker's processes had together at one moment, shared pages
counted once. Docker's command line client, which sends the build's context, is not in it. The
benchmark fails above {limit} MB, and when a line of the log is not in S3, once and in order.

{table}

{verdicts}
"""


def release(found: dict) -> str:
    """The part about releases."""
    rows = {(row["name"], row["functions"]): row["seconds"] for row in found["rows"]}
    counts = sorted({count for _, count in rows})
    lines = [
        [name, *(f"{rows[name, count]:.2f}" for count in counts)] for name in (SHELL, BOTO3, OURS)
    ]
    lines.append(
        ["Slipway, of aws", *(f"{rows[OURS, n] / rows[SHELL, n]:.3f}" for n in counts)],
    )
    verdicts = [
        verdict(
            f"share of aws, {count} functions",
            rows[OURS, count] / rows[SHELL, count],
            LIMITS[count],
            "",
            at_least=False,
        )
        for count in counts
    ]
    most, calls = max(counts), found["calls"]
    each = sum(calls.values()) / most
    return RELEASE.format(
        megabytes=found["megabytes"],
        table=table(["", *(f"{count}: seconds" for count in counts)], lines),
        verdicts="\n".join(verdicts),
        calls=f"{each:g}",
        named=", ".join(f"`{name}`" for name in calls),
        most=most,
        least=(each * most - 1) // 14,
        floor=(3 * most - 1) // 15,
    ) + _versions(found)


def site(found: dict) -> str:
    """The part about sites."""
    rows = {(row["name"], row["what"]): row["seconds"] for row in found["rows"]}
    whats = (FIRST, AGAIN)
    lines = [[name, *(f"{rows[name, what]:.2f}" for what in whats)] for name in (SYNC, OURS)]
    verdicts = [
        verdict(
            f"share of aws s3 sync, {what}",
            rows[OURS, what] / rows[SYNC, what],
            limit,
            "",
            at_least=False,
        )
        for what, limit in ((FIRST, 0.45), (AGAIN, 0.4))
    ]
    head = ["", *(f"{what}: seconds" for what in whats)]
    return SITE.format(
        files=found["files"],
        megabytes=found["megabytes"],
        pages=found["pages"],
        delay=found["delay"] * 1000,
        table=table(head, lines),
        verdicts="\n".join(verdicts),
    ) + _versions(found)


def memory(found: dict) -> str:
    """The part about memory."""
    lines = [
        [
            f"{row['output']} MB built, {row['log']} MB logged",
            f"{row['most']:.0f}",
            f"{row['together']:.0f}",
            f"{row['stages']['test']:.1f}",
            f"{row['stages']['build']:.1f}",
            f"{row['kept']:.1f}" if row["kept"] else "",
        ]
        for row in found["rows"]
    ]
    large = found["rows"][-1]
    return MEMORY.format(
        output=large["output"],
        log=large["log"],
        files=found["files"],
        limit=LIMIT,
        table=table(["", "largest MB", "all MB", "test s", "build s", "MB of log in S3"], lines),
        verdicts=verdict("largest process", large["most"], LIMIT, " MB", at_least=False),
    )


def _versions(found: dict) -> str:
    return f"\naws {found['versions']['awscli']}, boto3 {found['versions']['boto3']}.\n"


WRITERS: dict[str, Callable[[dict], str]] = {"release": release, "site": site, "memory": memory}
