"""The commit and its pipeline file, judged by what the operator allows."""

from config.pipeline import Pipeline, parse
from config.server.allowances import task_seconds
from config.toml import ConfigError
from workers.attempt.context import Context
from workers.docker.presets import recipes
from workers.ledger.model.errors import UserError
from workers.ledger.model.notes import Notes
from workers.source.address import allowed
from workers.stages import analyze, site

FILE = "slipway.toml"


def run(context: Context) -> str:
    """Fetch the commit, read slipway.toml at it, and refuse what it may not ask for."""
    allowed(
        context.order.clone_url,
        context.shop.settings.github_api_url,
        context.shop.operator.git_hosts,
    )
    text = _text(context)
    try:
        pipeline = parse(text, FILE)
    except ConfigError as error:
        raise UserError(str(error)) from None
    _judge(context, pipeline)
    subject = context.snapshot.subject()
    may, at_once = context.shop.allowed, context.shop.settings.checks_at_once
    most = str(task_seconds(may, pipeline, at_once))
    tree = context.snapshot.tree()
    context.note(Notes(pipeline=text, tree=tree, subject=subject, task_seconds=most))
    return f"commit {context.order.commit[:7]} of {context.order.branch}"


def _text(context: Context) -> str:
    raw = context.snapshot.read(FILE)
    if raw is None:
        raise UserError(
            f"{FILE} is missing at the root of commit {context.order.commit[:7]}: add one that "
            "says what to test and build (docs/configuration.md)"
        )
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise UserError(f"{FILE}:{line}: expected UTF-8") from None


def _judge(context: Context, pipeline: Pipeline) -> None:
    _judge_names(context, pipeline)
    for function in pipeline.functions:
        if not context.rule.may_touch(function):
            raise UserError(
                f"{FILE}: the operator does not allow {context.order.repository} to touch "
                f"the function {function}; nothing was changed"
            )
    if pipeline.sonar:
        analyze.judge(context, pipeline.sonar)
    if pipeline.test is not None:
        context.require(pipeline.test.dockerfile, "[test] needs it")
    recipes(pipeline, context.snapshot, f"commit {context.order.commit[:7]}")
    if pipeline.site:
        context.require(pipeline.build.dockerfile, "[build] needs it")
        site.judge(context, pipeline.site)
    if context.order.purpose == "deploy":
        _ = context.environment
        if pipeline.functions:
            _ = context.bucket


def _judge_names(context: Context, pipeline: Pipeline) -> None:
    checks = pipeline.test.checks if pipeline.test else {}
    for name in (*checks, *pipeline.functions):
        if (shown := context.shop.masker.mask(name)) != name:
            raise UserError(
                f"{FILE}: the name {shown} holds a secret of Slipway's, and names get everywhere: "
                "choose another one, and have the operator replace the secret"
            )
