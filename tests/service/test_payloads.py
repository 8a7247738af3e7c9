"""GitHub's payloads: a wrong type anywhere is found, and what GitHub may send is not."""

import json
import re
import tracemalloc
from copy import deepcopy

import pytest
from typing_extensions import is_typeddict

from config.server import parse
from service import events, payloads
from service.events import Ignored, UnreadableError
from service.payloads import parts, pull_request, repository
from tests.e2e.conftest import OPERATOR
from tests.service.conftest import pull, push
from tests.service.conftest import repository as named
from tests.service.samples import whole_pull_request, whole_push
from workers.order import Order

SAMPLES = {"push": whole_push(), "pull_request": whole_pull_request()}
OPERATORS = parse(OPERATOR)
VALUES = (None, True, 7, 1.5, "7", [], {})
# Where GitHub's own schemas have null, wherever a member of that name stands.
NULLABLE = re.compile(
    "base_ref|head_commit|pusher|sender|email|owner|description|gravatar_id|homepage|language"
    "|license|pushed_at|mirror_url|master_branch|parent|milestone|requested_reviewer|requested_team"
    "|assignee|label|changes|reason|user|repo|body|active_lock_reason|closed_at|merged_at|merged"
    "|merged_by|merge_commit_sha|mergeable|rebaseable|auto_merge|creator|due_on|enabled_by"
    "|commit_title|commit_message|spdx_id"
)
NULLABLE_PAIRS = {("license", "url"), ("assignees", 0), ("requested_reviewers", 0)}
TIMES = ("created_at", "pushed_at")
UNTOUCHED = ("custom_properties", "changes", "parent")


def paths(value, at=()):
    """The way to everything in a payload."""
    for key, part in enumerate(value) if isinstance(value, list) else value.items():
        yield (*at, key)
        # What is in these is the users' own.
        if isinstance(part, list | dict) and key not in UNTOUCHED:
            yield from paths(part, (*at, key))


def good_at(payload, path):
    """What stands there."""
    for key in path:
        payload = payload[key]
    return payload


def changed(payload, path, value):
    """A payload with another value there."""
    copy = deepcopy(payload)
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return copy


def fits(value, good, path):
    """Whether GitHub could send this value where it sends `good`."""
    if value is None:
        return bool(NULLABLE.fullmatch(str(path[-1]))) or path[-2:] in NULLABLE_PAIRS
    if path[-1] in TIMES and "repo" in str(path):
        return type(value) in (int, str)
    return type(value) is type(good)


def read(event, payload):
    """What a payload asks for in an operator's eyes."""
    return events.read(event, json.dumps(payload).encode(), OPERATORS)


def members():
    """Every member that a type of ours declares."""
    for room in (parts, payloads, pull_request, repository):
        for kind in vars(room).values():
            if is_typeddict(kind) and kind.__module__ == room.__name__:
                yield from kind.__annotations__
    yield from payloads.Push.model_fields
    yield from payloads.PullRequestEvent.model_fields


def test_the_samples_hold_every_member():
    """Nothing that is declared goes untried below."""
    known = {key for payload in SAMPLES.values() for path in paths(payload) for key in path}
    assert set(members()) - known == set()


@pytest.mark.parametrize("event", SAMPLES)
def test_a_whole_payload_is_read(event):
    """With every member set, it asks for a run."""
    assert isinstance(read(event, SAMPLES[event]), Order)


@pytest.mark.parametrize(
    ("event", "path"),
    [(event, path) for event, payload in SAMPLES.items() for path in paths(payload)],
    ids=lambda part: part if isinstance(part, str) else ".".join(map(str, part)),
)
def test_a_wrong_type_anywhere_is_refused(event, path):
    """Each value of another type is unreadable, with the place; null is not where GitHub has it."""
    good = good_at(SAMPLES[event], path)
    for value in VALUES:
        payload = changed(SAMPLES[event], path, value)
        if value is None and fits(value, good, path):
            assert isinstance(read(event, payload), Order | Ignored)
        elif not fits(value, good, path):
            with pytest.raises(UnreadableError, match=re.escape(str(path[-1]))):
                read(event, payload)


def test_members_that_nobody_knows_are_passed_over():
    """GitHub adds members at any time."""
    for event, sample in SAMPLES.items():
        for path, value in [(path, good_at(sample, path)) for path in paths(sample)]:
            if isinstance(value, dict) and path[-1] not in UNTOUCHED:
                payload = changed(sample, path, value | {"tomorrow": [{"any": "thing"}]})
                assert isinstance(read(event, payload), Order)


@pytest.mark.parametrize("payload", [push(), pull()])
def test_the_fewest_members_are_enough(payload):
    """All that an order needs: repository, ref and commit."""
    event = "pull_request" if "action" in payload else "push"
    for name in ("sender", "before", "deleted"):
        payload.pop(name, None)
    assert isinstance(read(event, payload), Order)


NUMBERS = [path for path in paths(SAMPLES["pull_request"]) if path[-1] in ("id", "number")]


@pytest.mark.parametrize("path", NUMBERS, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("value", [0, -7, 2**63, 10**400])
def test_a_number_out_of_bounds_is_refused(path, value):
    """No id is below 1 or over 63 bits."""
    with pytest.raises(UnreadableError, match=f"{path[-1]}: .*(greater|less)"):
        read("pull_request", changed(SAMPLES["pull_request"], path, value))


LONG = [
    ("push", ("ref",), "refs/heads/" + "x" * 1014),
    ("push", ("base_ref",), "x" * 1025),
    ("push", ("repository", "full_name"), "watchlist/" + "x" * 191),
    ("push", ("repository", "clone_url"), "https://github.com/" + "x" * 2030),
    ("push", ("repository", "default_branch"), "x" * 1025),
    ("push", ("repository", "owner", "login"), "x" * 101),
    ("push", ("sender", "login"), "x" * 101),
    ("pull_request", ("pull_request", "head", "ref"), "x" * 2**20),
    ("pull_request", ("pull_request", "base", "ref"), "x" * 1025),
    ("pull_request", ("pull_request", "user", "login"), "x" * 101),
]


@pytest.mark.parametrize(("event", "path", "value"), LONG, ids=lambda part: str(part)[:40])
def test_a_text_out_of_bounds_is_refused(event, path, value):
    """Names, refs and addresses end somewhere; one character less is fine where it is not 1 MB."""
    with pytest.raises(UnreadableError, match=f"{path[-1]}: .* at most"):
        read(event, changed(SAMPLES[event], path, value))
    if len(value) < 3000:
        read(event, changed(SAMPLES[event], path, value[:-1]))


def test_a_million_wrong_types_are_one_error():
    """What is wrong a million times is refused in the time and the memory of a million texts."""
    payload = changed(SAMPLES["push"], ("head_commit", "added"), [1] * 1_000_000)
    tracemalloc.start()
    with pytest.raises(UnreadableError, match=r"^commits.0.added.0: "):
        read("push", payload)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50_000_000


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("push", push(ref="refs/tags/" + "x" * 900)),
        ("push", push(ref="refs/heads/" + "x" * 900)),
        ("push", push(ref="refs/heads/" + "x" * 900, deleted=True)),
        ("push", push(repository=named("x" * 90 + "/" + "y" * 100))),
        ("pull_request", pull("x" * 1_000_000)),
        ("x" * 1000, {}),
    ],
    ids=range(6),
)
def test_a_reason_repeats_no_more_than_a_hundred_characters(event, payload):
    """Whatever others chose to send, the answer is short."""
    found = read(event, payload)
    assert isinstance(found, Ignored)
    assert len(found.why) < 200


def test_an_error_is_short():
    """Of whatever length the names in a payload are."""
    for payload in ({"x" * 10**6: 1}, push(**{"y" * 10**6: {"z" * 10**6: 1}}, ref=1)):
        with pytest.raises(UnreadableError) as caught:
            read("push", payload)
        assert len(str(caught.value)) < 400
