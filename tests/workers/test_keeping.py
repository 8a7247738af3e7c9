"""Whatever the history, nothing that somebody needs is ever deleted."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.orders import order
from workers.aws.functions import Version
from workers.ledger.model.released import Released
from workers.ledger.model.run import Release, Run, State
from workers.ledger.upkeep import Mark
from workers.upkeep.retention import Known, doomed

FUNCTION = "Store"
COMMITS = [digit * 40 for digit in "abcd"]
numbers = st.integers(1, 25).map(str)


@st.composite
def histories(draw):
    """A function's life: versions of ours and others', releases, aliases, runs at work."""
    marks = [Mark(str(n), draw(st.sampled_from(COMMITS)), f"sha-{n}") for n in range(1, 26)]
    by_number = {mark.number: mark for mark in marks}

    def row(number, function=FUNCTION, pruned=False):
        mark = by_number[number]
        known = {"version": number, "commit": mark.commit, "sha256": mark.sha256}
        return Released(function=function, pruned=pruned, **known)

    rows = st.builds(row, numbers, st.sampled_from([FUNCTION, FUNCTION, "Other"]), st.booleans())
    places = draw(st.lists(st.tuples(st.lists(rows, max_size=15), st.integers(1, 5)), max_size=3))
    run_ids = ["r1", "r2", "r3"]
    published = draw(st.dictionaries(st.sampled_from(marks), st.sampled_from(run_ids), max_size=25))
    alive = draw(st.lists(st.sampled_from(run_ids), unique=True, max_size=2))
    unended = [
        Run(
            id=run_id,
            order=order(),
            state=State.WAITING,
            stages=(),
            created_at=0,
            releases=tuple(
                Release(function=draw(st.sampled_from([FUNCTION, "Other"])), version=number)
                for number in draw(st.lists(numbers, max_size=2))
            ),
        )
        for run_id in alive
    ]
    found = []
    for mark in draw(st.lists(st.sampled_from(marks), unique=True)):
        whose = draw(st.sampled_from(["ours", "ours", "ours", "other commit", "by hand", "bytes"]))
        commit = {"other commit": "e" * 40, "by hand": None}.get(whose, mark.commit)
        found.append(Version(mark.number, commit, "?" if whose == "bytes" else mark.sha256))
    aliases = draw(
        st.dictionaries(st.text("xyz", min_size=1, max_size=2), st.frozensets(numbers), max_size=4)
    )
    return Known(FUNCTION, places, published, unended), found, aliases


@given(histories())
@settings(max_examples=600, deadline=None)
def test_nothing_that_is_needed_goes(life):
    """No alias's version, no kept release, nothing of a run at work, nothing that isn't ours."""
    known, found, aliases = life
    gone = {version.number: version for version in doomed(known, found, aliases)}
    for led_to in aliases.values():
        assert not led_to & set(gone)
    for rows, keep in known.histories:
        live = [row.version for row in rows if row.function == FUNCTION]
        for number in gone:
            if number in live:
                assert len(set(live[: live.index(number)])) >= keep
    at_work = {run.id for run in known.unended}
    for run in known.unended:
        assert not {r.version for r in run.releases if r.function == FUNCTION} & set(gone)
    for mark, run_id in known.published.items():
        assert run_id not in at_work or mark.number not in gone
    recorded = {(m.number, m.commit, m.sha256) for m in known.published} | {
        (row.version, row.commit, row.sha256)
        for rows, _ in known.histories
        for row in rows
        if row.function == FUNCTION
    }
    for version in gone.values():
        assert version.number != "$LATEST"
        assert (version.number, version.commit, version.sha256) in recorded


@given(histories())
@settings(max_examples=200, deadline=None)
def test_what_nobody_needs_goes(life):
    """Of our versions, only what is led to, needed by a rollback or a run, or among the newest."""
    known, found, aliases = life
    gone = doomed(known, found, aliases)
    led_to = set().union(*aliases.values())
    for version in found:
        mark = Mark(version.number, version.commit, version.sha256)
        if mark in known.ours and version.number not in known.needed | led_to:
            assert version in gone
    assert doomed(known, [one for one in found if one not in gone], aliases) == []


def test_the_last_releases_of_each_environment_stay():
    """Two of seven versions are kept for a rollback, and what the run at work has published."""
    commit = COMMITS[0]
    rows = [
        Released(function=FUNCTION, version=str(n), commit=commit, sha256=f"sha-{n}")
        for n in (6, 5, 6, 4, 2, 1)
    ]
    found = [Version(str(n), commit, f"sha-{n}") for n in range(1, 8)]
    waiting = Run(id="r1", order=order(), state=State.WAITING, stages=(), created_at=0)
    known = Known(FUNCTION, [(rows, 2)], {Mark("7", commit, "sha-7"): "r1"}, [waiting])
    assert [one.number for one in doomed(known, found, {"sandbox": {"6"}})] == ["1", "2", "4"]
    assert [one.number for one in doomed(known, found, {"x": {"6"}, "y": {"2"}})] == ["1", "4"]
