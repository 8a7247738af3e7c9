"""What the operator lets this run's builds and checks reach, by whose code it is."""

from config.pipeline import Test
from config.server.builds import Trust
from workers.attempt.context import Context
from workers.docker.bounds import BRIDGE, Bounds, require
from workers.ledger.model.errors import UserError

_OTHERWISE = "names another one, or none, in SLIPWAY_CHECK_NETWORK"


def trust(context: Context) -> Trust:
    """Whose code the run's is: what is on a branch, or a pull request's."""
    return "deploy" if context.order.purpose == "deploy" else "review"


def bounds(context: Context) -> Bounds:
    """What the run's builds may reach; their caches are the repository's and this trust's own."""
    builds = context.shop.operator.builds
    network = builds.network_of(trust(context)) or context.shop.settings.build_network
    return Bounds(network, f"{context.order.repository_id}-{trust(context)}", builds.images)


def check_network(context: Context, test: Test, name: str) -> str:
    """The engine's network for one check, which is `none` unless it asks for one.

    Raises:
        UserError: it asks, and the operator allows none.
        OurError: the engine has no such network.
    """
    own = test.checks[name].network
    if not (test.network if own is None else own):
        return "none"
    said = context.shop.operator.builds.network_of(trust(context))
    network = "host" if said == "host" else context.shop.settings.check_network
    if said == "none" or network == "none":
        setting = "[builds] network" if said == "none" else "SLIPWAY_CHECK_NETWORK"
        raise UserError(
            f"the check {name} asks for the network, which the operator's {setting} refuses: take"
            " `network = true` out of slipway.toml, or ask the operator"
        )
    return require(context.shop.engine, network, _OTHERWISE)


def scan_network(context: Context) -> str:
    """The engine's network for SonarQube's scanner, which runs nothing of the repository.

    Raises:
        OurError: the engine has no such network.
    """
    network = context.shop.settings.check_network
    return require(context.shop.engine, BRIDGE if network == "none" else network, _OTHERWISE)
