"""What stages leave for each other: typed where it is used, as it always was where it is kept."""

import json

import pytest
from pydantic import ValidationError

from tests.ledger.conftest import Book
from workers.ledger import keys
from workers.ledger.model.alias import Alias
from workers.ledger.model.notes import NAMES, Built, Handed, Kept, Notes

KEPT = {
    "pipeline": "[test]\n",
    "tree": "a" * 40,
    "subject": "fix it",
    "task_seconds": "90",
    "analysis": '{"task": "7", "at": 12, "page": ""}',
    "packages": '{"Greeter": "c2hh"}',
    "build_key": "k",
    "reused": '{"run":"r","commit":"c","packages":{"Greeter":{"bucket":"b","sha256":"s"}}}',
    "gone": "yes",
    "votes": '[{"who":"ada","verdict":"approve","at":5,"origin":"api","note":""}]',
    "waiting_since": "1700000000000",
    "origin": '{"place": null}',
    "before": '{"Greeter": {"version": "1", "revision_id": "r", "weights": {"2": 0.5}, '
    '"commit": null}, "New": null}',
    "stuck": '["Greeter", ""]',
    "site_switched": "yes",
    "unfinished": "yes",
}
"""A run's notes as the versions before this class have written them."""


def test_what_an_earlier_version_has_written_is_read():
    """A run of the version before goes on with each of its notes."""
    notes = Notes.of(KEPT | {"state": "running", "fence": "3"})
    assert notes.analysis == Handed(task="7", at=12, page="")
    assert notes.packages == {"Greeter": "c2hh"}
    assert notes.reused == Built(
        run="r", commit="c", packages={"Greeter": Kept(bucket="b", sha256="s")}
    )
    assert notes.before == {"Greeter": Alias("1", "r", {"2": 0.5}), "New": None}
    assert [vote.who for vote in notes.votes] == ["ada"]
    assert notes.waiting_since == 1_700_000_000_000
    assert notes.stuck == ("Greeter", "")
    assert notes.origin == {"place": None}
    assert notes.gone
    assert notes.site_switched
    assert notes.unfinished


def test_what_is_written_is_what_an_earlier_version_would_have_written():
    """A worker of the version before goes on with a run of this one."""
    again = Notes.of(KEPT).texts()
    # Only JSON's spaces have changed, and no note's JSON is compared as text but the packages'.
    assert again["packages"] == KEPT["packages"]
    assert {name: _plain(text) for name, text in again.items()} == {
        name: _plain(text) for name, text in KEPT.items()
    }


def _plain(text: str) -> object:
    return json.loads(text) if text[0] in "[{" and text != KEPT["pipeline"] else text


def test_only_what_is_named_is_written_and_nothing_takes_back():
    """Other notes stay as they are; None and False leave an empty text."""
    assert Notes(build_key="k", reused=None).texts() == {"build_key": "k", "reused": ""}
    assert Notes(before=None, unfinished=False).texts() == {"before": "", "unfinished": ""}
    assert Notes(before={}).texts() == {"before": "{}"}
    assert Notes.of({"before": "", "reused": None, "unfinished": ""}) == Notes()
    assert Notes.of({"before": "{}"}).before == {}


def test_a_note_of_another_type_is_refused():
    """A stage can't leave what no later one understands."""
    with pytest.raises(ValidationError):
        Notes(packages=["Greeter"])
    with pytest.raises(ValidationError):
        Notes.of({"votes": '[{"who": "ada"}]'})


def test_notes_come_back_from_the_ledger(book: Book):
    """They are read in one round trip, and none of a run that has left none."""
    run_id = book.take_on()
    assert book.history.notes(run_id) == Notes()
    lease = book.leased(run_id)
    wanted = Notes(before={"Greeter": Alias("1", "r")}, unfinished=True, stuck=("Greeter",))
    lease.write(**wanted.texts())
    assert book.history.notes(run_id) == wanted
    run = book.history.run(run_id)
    assert run
    assert run.unfinished


def test_notes_that_may_hold_a_secret_of_slipways_are_known():
    """Masking a note that a stage must find as it was would break it; these are for people."""
    assert set(NAMES) - set(keys.AS_IT_IS) == {
        "subject",
        "task_seconds",
        "targets",
        "votes",
        "waiting_since",
        "unlocked",
    }
