"""A repository's API Gateway follows its environments, where the operator names a `rest_api`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from config.together import together
from workers.attempt.context import Context
from workers.aws.gateway import Api, permit_alias, prepare_stage

TOGETHER = 4


@contextmanager
def following(context: Context, functions: Sequence[str]) -> Iterator[None]:
    """Have the API follow the aliases that move in the body.

    An API that can't be prepared leaves the aliases where they are. One that may not invoke an
    alias yet, because there is none, is prepared after the move.
    """
    if _api(context) is None or not functions:
        yield
        return
    unpermitted = permit(context, functions)
    if not unpermitted:
        _prepare(context, functions)
    yield
    if unpermitted:
        permit(context, unpermitted)
        _prepare(context, functions)


def permit(context: Context, functions: Sequence[str]) -> list[str]:
    """Let the API invoke the environment's alias of each function; those without the alias yet."""
    api = _api(context)
    if api is None or not functions:
        return []

    def one(function: str) -> bool | None:
        context.lease.check()
        added = permit_alias(context.aws, api, function)
        if added:
            context.say(
                f"release/{function}", f"the API {api.id} may invoke the alias {api.alias} now"
            )
        return added

    found = zip(functions, together(one, functions, TOGETHER), strict=True)
    return [function for function, added in found if added is None]


def _prepare(context: Context, functions: Sequence[str]) -> None:
    """See that the environment's stage exists and names the alias of the functions."""
    api = _api(context)
    if api is not None and functions:
        prepare_stage(context.aws, api, lambda line: context.say("release", line))


def _api(context: Context) -> Api | None:
    rest_api = context.rule.rest_api
    environment = context.environment
    return Api(rest_api, environment.name, environment.alias) if rest_api else None
