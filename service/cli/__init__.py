"""The `slipway` command."""

import click

from service.cli.approval import approve, reject
from service.cli.build import build
from service.cli.environment import lock, rollback, unlock
from service.cli.plan import plan
from service.cli.releases import releases
from service.cli.repository import check, hook
from service.cli.runs import cancel, log, retry, runs


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="slipway")
def main() -> None:
    """Ask a Slipway how its runs go, and set repositories up for it.

    SLIPWAY_URL says where it is, SLIPWAY_TOKEN who asks.
    """


COMMANDS = (
    *(check, build, hook),
    *(runs, log, approve, reject, cancel, retry),
    *(plan, releases, rollback, lock, unlock),
)
for command in COMMANDS:
    main.add_command(command)
