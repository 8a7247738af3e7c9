"""What about an alias is not as Slipway left it: a pure comparison, and what is new about it."""

from collections.abc import Iterator

from workers.ledger.model.observation import Difference, Live, Observation, Recorded, Seen


def differences(
    function: str, alias: str, record: Recorded, live: Live | None, *, exists: bool = True
) -> tuple[Difference, ...]:
    """How an alias differs from the record; `exists`: whether the function does."""
    where = f"{function}:{alias}"
    if not exists:
        return (_difference("function deleted", f"the function {function} was deleted"),)
    if live is None:
        return (_difference("alias deleted", f"{where} was deleted"),)
    return tuple(_differs(where, record, live))


def _differs(where: str, record: Recorded, live: Live) -> Iterator[Difference]:
    if live.version != record.version:
        text = f"{where} was moved by hand: it runs version {_named(live)}, Slipway made "
        yield _difference("moved", f"{text}version {record.version} ({record.commit[:7]}) live")
    elif live.sha256 != record.sha256:
        text = f"version {live.version} of {where} has other code than Slipway published"
        yield _difference("other code", f"{text}: was the function made anew?")
    if live.weights:
        shares = ", ".join(f"{v} gets {share:.0%}" for v, share in sorted(live.weights.items()))
        yield _difference("weights", f"{where} has weights that no run left: version {shares}")


def _named(live: Live) -> str:
    return f"{live.version} ({live.commit[:7] if live.commit else 'no commit of ours'})"


def _difference(kind: str, text: str) -> Difference:
    return Difference.model_validate({"kind": kind, "text": text})


def carried(seen: Seen, before: Seen | None) -> Seen:
    """What could not be looked at is as it was known to be."""
    if seen.certain or before is None:
        return seen
    return seen.model_copy(update={"differs": before.differs, "live": seen.live or before.live})


def news(now: Observation, before: Observation | None) -> tuple[list[Seen], list[Seen]]:
    """The functions whose drift begins with a look, and those whose drift has ended.

    Another difference than before begins too; one that goes on says nothing.
    """
    known = {seen.function: seen for seen in before.functions} if before else {}
    begun, ended = [], []
    for seen in now.functions:
        old = known.get(seen.function)
        was = {one.kind for one in old.differs} if old else set()
        new = [one for one in seen.differs if one.kind not in was]
        if seen.certain and new:
            begun.append(seen.model_copy(update={"differs": tuple(new)}))
        if seen.certain and was and not seen.differs:
            ended.append(seen)
    there = {seen.function for seen in now.functions}
    ended += [old for old in known.values() if old.differs and old.function not in there]
    return begun, ended
