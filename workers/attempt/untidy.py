"""What a run could not tidy up is said on its page and in its JSON, not in its log alone."""

from workers.attempt.context import Context
from workers.ledger.codec import untidy_text
from workers.ledger.model.run import Untidy


def note(context: Context, what: str, why: str) -> None:
    """Remember what was left behind at a place, and why; what was known of it is replaced."""
    _write(context, what, Untidy(what=what, why=why))


def clear(context: Context, what: str) -> None:
    """Forget what an earlier try had left behind at a place."""
    if context.run.untidy:
        _write(context, what)


def _write(context: Context, what: str, *news: Untidy) -> None:
    run = context.shop.ledger.history.run(context.run.id)
    others = [one for one in (run.untidy if run else ()) if one.what != what]
    text = untidy_text((*others, *news), context.shop.masker.mask)
    context.lease.write(visible=True, untidy=text)
