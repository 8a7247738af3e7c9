"""One reporter at a time, one pause for each channel, and nothing that is forgotten."""

import pytest

from local.ports import free_port
from workers.ledger import keys
from workers.ledger.model.errors import PassingError, StoppedError
from workers.report import report
from workers.report.outbox import LONGEST_SECONDS, Outbox
from workers.workshop import Workshop


@pytest.fixture
def run_id(office):
    """A run at work."""
    return office.start(office.accept())


@pytest.fixture
def outbox(office, run_id):
    """Its reporter's outbox."""
    opened = Outbox.open(office.shop.ledger, run_id, "one")
    assert opened
    return opened


def test_one_reporter_at_a_time(office, run_id, outbox):
    """A second one is turned away until the first has given it back."""
    assert Outbox.open(office.shop.ledger, run_id, "two") is None
    outbox.close(None)
    assert Outbox.open(office.shop.ledger, run_id, "two")


def test_what_is_kept_is_written_at_once(office, run_id, outbox):
    """A reporter that dies right afterwards has not said it in vain."""
    outbox.keep({"slack|started": "sent"})
    assert office.told(run_id) == {"slack|started": "sent"}
    assert Outbox.open(office.shop.ledger, run_id, "two") is None
    assert office.due(run_id) <= 0, "its report is due until it is closed"


def test_a_reporter_that_was_too_slow_stops(office, run_id, outbox):
    """Another one has taken over: its entries stay, and the slow one ends."""
    office.redis.delete(f"{keys.PREFIX}reporting:{run_id}")
    second = Outbox.open(office.shop.ledger, run_id, "two")
    assert second
    with pytest.raises(StoppedError):
        outbox.keep({"slack|started": "sending"})
    second.keep({"slack|started": "sent"})
    second.close(None)
    assert office.told(run_id) == {"slack|started": "sent"}


def test_news_during_a_report_are_not_left_to_a_pause(office, run_id, outbox):
    """A run that changed while it was told is told again now, whoever rests."""
    office.say(run_id, "no news\n")
    assert not outbox.close(60)
    again = Outbox.open(office.shop.ledger, run_id, "two")
    assert again
    office.end(run_id)
    again.keep({"a": "b"})
    assert again.close(60)


def test_a_pause_doubles_up_to_its_limit(outbox):
    """Two seconds at first, ten minutes at most; what was asked for goes before."""
    waits = [outbox.pause("slack", PassingError("no")) for _ in range(12)]
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == LONGEST_SECONDS
    asked = PassingError("no")
    asked.retry_after = 3600
    assert outbox.pause("slack", asked) == 3600


def test_news_cut_short_only_what_nobody_asked_for(office, run_id, outbox):
    """A back-off of our own ends with the next news; a time that was asked for does not."""
    asked = PassingError("no")
    asked.retry_after = 50
    outbox.pause("slack", asked)
    outbox.pause("email", PassingError("no"))
    assert outbox.left("email") > 0
    outbox.close(60)
    office.end(run_id)
    later = Outbox.open(office.shop.ledger, run_id, "two")
    assert later.left("email") is None
    assert 40 < later.left("slack") <= 50


def test_github_away_keeps_nobody_else(office, run_id):
    """With GitHub out of reach, Slack and email are told all the same, and GitHub later."""
    office.set(github_token="a-token-of-github", github_api_url=f"http://127.0.0.1:{free_port()}")
    office.end(run_id)
    told = office.report(run_id)
    assert len(office.slack.messages) == 2
    assert len(office.mail.mails) == 1
    assert "github|pause" in told
    assert not [key for key in told if "slipway/" in key]
    assert office.due(run_id) > 1


class Broken(Workshop):
    """A workshop with a fault of Slipway's own."""

    @property
    def github(self):
        """Never there."""
        raise ZeroDivisionError


def test_a_fault_of_our_own_keeps_nobody_else(office, run_id):
    """A channel that breaks rests and is tried again; the others are told."""
    office.end(run_id)
    report(Broken(office.shop.settings, office.shop.operator), run_id, "t")
    assert len(office.slack.messages) == 2
    assert len(office.mail.mails) == 1
    assert office.due(run_id) > 1
    office.patience(run_id)
    told = office.report(run_id)
    assert [key for key in told if "slipway/" in key]
    assert len(office.slack.messages) == 2
