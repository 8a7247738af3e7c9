"""The parts for the whole application: those of the small demo, and Slack and a mail server."""

import secrets
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from demo.screen import Screen
from demo.surroundings import CACHE
from demo.world import PERSON, READY, START_SECONDS, World, start_engine, stop
from local.process import Process, SetUpError, wait_for_http
from local.redis import EmbeddedRedis
from tests.stand_ins import watchlist
from tests.stand_ins.aws import AwsStandIn
from tests.stand_ins.engine import Engine
from tests.stand_ins.github import TOKEN, GitHub
from tests.stand_ins.images import ensure_images
from tests.stand_ins.slack import Slack
from tests.stand_ins.slipway import Slipway
from tests.stand_ins.smtp import Smtp


@dataclass(frozen=True)
class Whole(World):
    """The parts, running; `api` is the id of the REST API."""

    slack: Slack
    mail: Smtp
    api: str


def whole(stack: ExitStack, folder: Path, screen: Screen) -> Whole:
    """Start the parts; `stack` stops them, the last one first.

    Raises:
        SetUpError: what did not start, its last words, and what to do.
    """
    engine = start_engine(stack, screen)
    redis, github, slack, mail = _services(stack, folder, screen)
    aws = AwsStandIn(log=folder / "moto.log", docker_host=engine.host)
    stack.callback(aws.stop)
    aws.launch()
    with screen.step("base images") as images:
        say = lambda text: screen.change(images, "running", text)  # noqa: E731 - one line
        ensure_images(engine.host, watchlist.IMAGES, CACHE, say)
        images.detail = ", ".join(watchlist.IMAGES)
    with screen.step("AWS stand-in (moto)") as row:
        aws.start()
        api = watchlist.make_aws(aws)
        row.detail = f"{aws.url} with 6 functions, the API {api}, two buckets"
    token = secrets.token_hex(20)
    variables = {
        "REDIS_URL": redis.url,
        "GITHUB_API_URL": github.api_url,
        "SLACK_WEBHOOK_URL": slack.url,
        "SMTP_URL": mail.url,
        "SLIPWAY_API_TOKENS": f"{PERSON}:{token}",
    }
    slipway = _slipway(
        stack, folder, engine, aws, watchlist.operator(api, PERSON), variables, token
    )
    parts = Whole(aws, github, slipway, token, slack, mail, api)
    _start(parts, screen)
    return parts


def _services(
    stack: ExitStack, folder: Path, screen: Screen
) -> tuple[EmbeddedRedis, GitHub, Slack, Smtp]:
    with screen.step("Redis, stand-ins") as row:
        redis = EmbeddedRedis(folder / "redis")
        stack.callback(redis.stop)
        redis.start()
        github = GitHub(folder / "github")
        stack.callback(github.stop)
        github.start()
        for member in watchlist.MEMBERS:
            watchlist.make_repository(github, member)
        slack, mail = stack.enter_context(Slack()), stack.enter_context(Smtp())
        row.detail = f"GitHub at {github.url}, Slack, a mail server"
    return redis, github, slack, mail


def _slipway(  # noqa: PLR0913, PLR0917 - all that a process's environment is made of
    stack: ExitStack,
    folder: Path,
    engine: Engine,
    aws: AwsStandIn,
    operator: str,
    variables: dict[str, str],
    token: str,
) -> Slipway:
    environment = {
        **engine.environment(),
        **aws.environment(),
        **variables,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_WEBHOOK_SECRET": secrets.token_hex(20),
        "SLACK_SIGNING_SECRET": secrets.token_hex(20),
        "SLIPWAY_WEB_PROCESSES": "1",
        "SLIPWAY_CAPACITY": "4",
    }
    slipway = Slipway(folder / "slipway", operator, environment, token=token)
    stack.callback(stop, slipway)
    return slipway


def _start(parts: Whole, screen: Screen) -> None:
    with screen.step("web, worker, beat") as row:
        slipway = parts.slipway
        for process in slipway.processes.values():
            process.start()
        wait_for_http(slipway.processes["web"], f"{slipway.url}/healthz", START_SECONDS)
        worker = slipway.processes["worker"]
        worker.wait_until(lambda: READY in worker.tail(), "the worker", START_SECONDS)
        row.detail = slipway.url
    with screen.step("slipway hook install") as row:
        program = Path(sys.executable).parent / "slipway"
        names = [member.repository for member in watchlist.MEMBERS]
        hooks = [
            Process(
                [program, "hook", "install", name],
                slipway.folder / f"hook-{number}.log",
                env=slipway.environment,
            ).start()
            for number, name in enumerate(names)
        ]
        for hook in hooks:
            hook.wait_for_end(START_SECONDS)
            if hook.exit_code:
                raise SetUpError(f"slipway hook install failed:\n{hook.tail()}")
        row.detail = ", ".join(names)
