"""The `slipway` command."""

from importlib import import_module
from typing import NamedTuple

import click


class Told(NamedTuple):
    """Where a command is, and what the list of commands says of it: its first sentence."""

    module: str
    says: str


# A command's module is imported when somebody calls it: some of them need seconds.
COMMANDS = {
    "approve": Told("approval", "Approve what RUN waits with: its id, or how it begins."),
    "build": Told(
        "build", "Build and package the working copy at PATH, and tell sizes and hashes."
    ),
    "cancel": Told("runs", "End RUN: its id, or how it begins."),
    "check": Told("repository", "Say what is wrong in FILE, a line for each problem."),
    "hook": Told("repository", "Webhooks on GitHub."),
    "lock": Told("environment", "Have nothing released to ENV; pushes are built and wait."),
    "log": Told("runs", "Show the log of RUN: its id, or how it begins."),
    "plan": Told(
        "plan", "Show what is live in ENVIRONMENT, and what a deploy of its branches would change."
    ),
    "reject": Told(
        "approval", "Reject what RUN waits with: its id, or how it begins; the run ends."
    ),
    "releases": Told(
        "releases", "List what was made live in ENV, or in every environment, newest first."
    ),
    "retry": Told("runs", "Run the order of RUN once more: its id, or how it begins."),
    "rollback": Told(
        "environment", "Make what ENV ran before live again, without a build, and hold ENV."
    ),
    "runs": Told("runs", "List runs, newest first."),
    "unlock": Told("environment", "Let what was held back from ENV go live."),
}


class _Commands(click.Group):
    """Commands that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - of click
        """Return their names."""
        return sorted(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - of click
        cmd_name: str,
    ) -> click.Command | None:
        """Return the one with this name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"service.cli.{COMMANDS[cmd_name].module}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of them, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].says) for name in self.list_commands(ctx)])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="slipway")
def main() -> None:
    """Ask a Slipway how its runs go, and set repositories up for it.

    SLIPWAY_URL says where it is, SLIPWAY_TOKEN who asks.
    """
