"""What a run changes is its repository's own: seen to before anything is sent, and on record."""

from collections.abc import Mapping

from workers.attempt.context import Context
from workers.aws.session import aws_of
from workers.ledger.model.errors import BusyError, OurError, StoppedError, UserError
from workers.ledger.owners import Owner, Owners, Refused
from workers.stages import site
from workers.stages.deploy import republish

TRIES = 5


def check(context: Context) -> None:
    """See that nothing that the run will change is another's.

    Raises:
        UserError: something is another repository's.
        OurError: something is another environment's, where the operator's file has both.
    """
    _found(context)


def take(context: Context) -> None:
    """Have all that the run will change belong to its repository from now on, in one step.

    Raises:
        UserError, OurError: as `check`.
        BusyError: others keep taking the same.
    """
    owners = Owners(context.shop.ledger.redis)
    for _ in range(TRIES):
        places, found = _places(context), _found(context)
        changes = {
            place: (owner, new)
            for place, owner in found.items()
            if (new := _new(context, owner)) != owner
        }
        if not changes:
            return
        answer = owners.change(context.run.id, context.lease.fence, changes)
        if answer == "lost":
            raise StoppedError(context.run.id)
        if answer == "changed":
            for place, (old, new) in changes.items():
                context.say("release", _told(places[place][1], old, new))
            return
    raise BusyError("others keep taking the same aliases; this run tries again")


def _places(context: Context) -> dict[str, tuple[str, str]]:
    """Each place that the run changes, with its function ("" for a site) and its name."""
    back = context.order.purpose == "rollback"
    if back:
        names = [one.function for one in republish.target(context).releases]
    else:
        names = sorted(context.pipeline.functions)
    alias = context.environment.alias
    places = {context.place(name): (name, f"{name}:{alias}") for name in names}
    found = site.named(context)
    return places | ({found[0]: ("", found[1])} if found else {})


def _found(context: Context) -> Mapping[str, Owner | None]:
    """Whose each place is, which is nobody else's."""
    places = _places(context)
    owners = Owners(context.shop.ledger.redis)
    found = owners.of(places)
    granted = ""
    for place, owner in found.items():
        function, words = places[place]
        if owner is None:
            continue
        if owner.repository_id != context.order.repository_id:
            granted = granted or owners.granted(context.order.repository) or ""
            if not granted:
                raise _refusal(context, owners, words, owner)
        elif function and owner.environment != context.environment.name:
            _rival(context, function, words, owner.environment)
    return found


def _refusal(context: Context, owners: Owners, words: str, owner: Owner) -> UserError:
    order = context.order
    refused = Refused(
        repository_id=order.repository_id,
        repository=order.repository,
        environment=context.environment.name,
        words=words,
        run=context.run.id,
    )
    for name, other in owners.of(_places(context)).items():
        # All of them, so that one word of the operator moves them together.
        if other and other.repository_id != order.repository_id:
            owners.refuse(name, refused.model_copy(update={"words": _places(context)[name][1]}))
    return UserError(
        f"{words} belongs to {owner.repository}, and {order.repository} "
        "is another repository: nothing was changed. Release something of your own; or the "
        f"operator moves it: slipway releases --take-over {order.repository}"
    )


def _rival(context: Context, function: str, words: str, name: str) -> None:
    """Refuse what another environment of the operator's releases to as well."""
    other = context.shop.operator.environments.get(name)
    if other is None or other.alias != context.environment.alias:
        return
    if aws_of(other).home(function) == context.aws.home(function):
        raise OurError(
            f"{words} in {context.aws.home(function)} is the environment {name}'s already: "
            f"{context.environment.name} would move the same alias, and nothing was changed. The "
            "operator gives one of them an alias, a region or a role of its own"
        )


def _new(context: Context, owner: Owner | None) -> Owner:
    """Whose a place is once the run has taken it."""
    order = context.order
    facts = {
        "repository_id": order.repository_id,
        "repository": order.repository,
        "environment": context.environment.name,
    }
    if owner and owner.repository_id == order.repository_id:
        return owner.model_copy(update=facts | {"recorded": False})
    by = Owners(context.shop.ledger.redis).granted(order.repository) if owner else None
    return Owner(**facts, by=by, from_=owner.repository if owner else None)


def _told(words: str, old: Owner | None, new: Owner) -> str:
    if old is None:
        return f"{words} belongs to {new.repository} from now on"
    if old.repository_id != new.repository_id:
        return f"{words} belongs to {new.repository} from now on: {new.by} moved it"
    if old.repository != new.repository:
        return f"{words} belongs to {new.repository}, which was {old.repository}"
    return f"{words} belongs to {new.repository}, as was on record"
