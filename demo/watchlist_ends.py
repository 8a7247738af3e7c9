"""What everybody holds in the end: GitHub, AWS, Slack, the mail server, Slipway."""

import base64
import hashlib
from typing import Any

from demo.screen import SIGNS, Screen
from demo.story import DemoError
from demo.watchlist_world import Whole
from tests.stand_ins import watchlist
from tests.stand_ins.watchlist import BRANCHES, BUCKET, MEMBERS, SITE, Member

NAME = 26
Runs = dict[tuple[Member, str], dict[str, Any]]


def all_told(parts: Whole, runs: Runs) -> bool:
    """Whether no status is pending, and each commit has that of its deploy."""
    for (member, environment), run in runs.items():
        latest = parts.github.latest(member.repository, run["commit"])
        deploy = latest.get(f"slipway/deploy/{environment}")
        if deploy is None or any(status.state == "pending" for status in latest.values()):
            return False
    return True


def show(parts: Whole, screen: Screen, runs: Runs) -> None:
    """Say all of it.

    Raises:
        DemoError: it is not what it should be.
    """
    _github(parts, screen, runs)
    _aliases(parts, screen, runs)
    _gateway(parts, screen)
    _site(parts, screen)
    _slack(parts, screen)
    _mail(parts, screen)
    screen.say("Slipway", "bold")
    for member in MEMBERS:
        screen.say(f"  {member.name:<{NAME}}{runs[member, 'production']['url']}")
    screen.say(f"  {'all runs':<{NAME}}{parts.slipway.url}/")
    screen.say(f"  {'token':<{NAME}}{parts.token}   (to sign in with, and for the API)")


def _github(parts: Whole, screen: Screen, runs: Runs) -> None:
    screen.say()
    screen.say("GitHub reports", "bold")
    wrong = []
    for (member, environment), run in runs.items():
        latest = parts.github.latest(member.repository, run["commit"])
        bad = {name: one for name, one in latest.items() if one.state != "success"}
        sign, style = SIGNS["failed" if bad else "succeeded"]
        words = ", ".join(sorted(latest)) + ": success"
        if bad:
            words = "; ".join(f"{name}: {s.state} - {s.description}" for name, s in bad.items())
            wrong.append(member.repository)
        screen.say(f"  {sign} {member.name:<{NAME - 2}}{run['commit'][:7]}  {words}", style)
        if f"slipway/deploy/{environment}" not in latest:
            wrong.append(member.repository)
    if wrong:
        raise DemoError(f"GitHub was not told of a success: {', '.join(wrong)}")


def _aliases(parts: Whole, screen: Screen, runs: Runs) -> None:
    screen.say("AWS reports", "bold")
    for member in MEMBERS:
        for function in member.functions:
            found = [_alias(parts, function, name, runs[member, name]) for name in BRANCHES]
            (sha256,) = {sha256 for _, sha256 in found}
            aliases = ", ".join(
                f"{name} → {version}" for name, (version, _) in zip(BRANCHES, found, strict=True)
            )
            screen.say(f"  {function:<{NAME}}{aliases}   sha256 {sha256[:12]}…")
    count = len(parts.aws.objects(BUCKET))
    screen.say(f"  {'s3://' + BUCKET:<{NAME}}  {count} objects, <function>/<commit>.zip and logs")


def _alias(parts: Whole, function: str, environment: str, run: dict[str, Any]) -> tuple[str, str]:
    """An alias's version and its hash, which must be that of the commit's package."""
    alias = parts.aws.alias(function, environment)
    package = parts.aws.read(BUCKET, f"{function}/{run['commit']}.zip")
    expected = base64.b64encode(hashlib.sha256(package).digest()).decode()
    versions = {one["Version"]: one["CodeSha256"] for one in parts.aws.versions(function)}
    if alias is None or versions[alias["FunctionVersion"]] != expected:
        raise DemoError(f"{function}:{environment} does not run commit {run['commit'][:7]}")
    return alias["FunctionVersion"], expected


def _gateway(parts: Whole, screen: Screen) -> None:
    client = parts.aws.client("apigateway")
    stages = {one["stageName"]: one for one in client.get_stages(restApiId=parts.api)["item"]}
    for name in BRANCHES:
        variable = stages.get(name, {}).get("variables", {}).get("environment")
        if variable != name:
            raise DemoError(f"the API's stage {name} names {variable}")
    words = ", ".join(f"stage {name}: environment = {name}" for name in BRANCHES)
    screen.say(f"  {'API ' + parts.api:<{NAME}}{words}")


def _site(parts: Whole, screen: Screen) -> None:
    head = parts.aws.client("s3").head_object
    for name in BRANCHES:
        page = parts.aws.read(SITE, f"{name}/index.html").decode()
        if f'data-environment="{name}"' not in page:
            raise DemoError(f"s3://{SITE}/{name}/index.html is not the page of {name}")
        keys = [key for key in parts.aws.objects(SITE) if key.startswith(f"{name}/")]
        kept = [key for key in keys if "immutable" in head(Bucket=SITE, Key=key)["CacheControl"]]
        words = f"index.html of {name}, {len(keys)} files, {len(kept)} of them immutable"
        screen.say(f"  s3://{SITE}/{name}/  {words}")


def _slack(parts: Whole, screen: Screen) -> None:
    texts = [text.partition(" - ")[0] for text in parts.slack.texts]
    screen.say(f"Slack got {len(texts)} messages; those of production", "bold")
    for text in texts:
        if " to production " in text:
            screen.say(f"  {text}")


def _mail(parts: Whole, screen: Screen) -> None:
    screen.say(f"{watchlist.EMAIL} got {len(parts.mail.mails)} emails", "bold")
    for mail in parts.mail.mails:
        name, log = mail.attachment()
        screen.say(f"  {mail.message['Subject']}")
        lines = log.count(b"\n")
        screen.say(f"      attached: {name}, {lines} lines")
    if len(parts.mail.mails) != len(MEMBERS):
        raise DemoError(f"there should be {len(MEMBERS)} emails")
