"""GitHub's payloads: a wrong type of what is read is found, and the rest may be anything."""

import json
import re
import tracemalloc
from copy import deepcopy
from typing import Any, get_type_hints

import pytest
from typing_extensions import is_typeddict

from config.server import parse
from service.webhooks import events, payloads
from service.webhooks.events import Ignored, UnreadableError
from tests.e2e.conftest import OPERATOR
from tests.service.conftest import pull, push
from tests.service.conftest import repository as named
from tests.service.samples import whole_pull_request, whole_push
from workers.ledger.model.order import Order

SAMPLES = {"push": whole_push(), "pull_request": whole_pull_request()}
OPERATORS = parse(OPERATOR)
VALUES = (None, True, 7, 1.5, "7", [], {})
# All that is read, and whether it may be null; the holders of these are read with them.
EVERY = {
    "repository.id": False,
    "repository.full_name": False,
    "repository.clone_url": False,
    "sender": True,
    "sender.login": False,
    "sender.type": True,
}
READ = {
    "push": EVERY
    | {"ref": False, "after": False, "before": True, "deleted": False, "forced": True},
    "pull_request": EVERY
    | {
        "action": False,
        "number": False,
        "pull_request.head.ref": False,
        "pull_request.head.sha": False,
        "pull_request.head.repo": True,
        "pull_request.head.repo.id": False,
        "pull_request.base.ref": False,
        "pull_request.base.repo": True,
        "pull_request.base.repo.id": False,
        "pull_request.merged": True,
        "pull_request.merge_commit_sha": True,
        "pull_request.user": True,
        "pull_request.user.login": False,
        "pull_request.user.type": True,
        "pull_request.merged_by": True,
        "pull_request.merged_by.login": False,
        "pull_request.merged_by.type": True,
    },
}


def paths(value, at=()):
    """The way to everything in a payload."""
    for key, part in enumerate(value) if isinstance(value, list) else value.items():
        yield (*at, key)
        if isinstance(part, list | dict):
            yield from paths(part, (*at, key))


def spelled(path):
    """A way as it is written in READ."""
    return ".".join(map(str, path))


def is_read(event, path):
    """Whether something is read, or holds what is."""
    return any(f"{one}.".startswith(f"{spelled(path)}.") for one in READ[event])


EVERYWHERE = [(event, path) for event, payload in SAMPLES.items() for path in paths(payload)]
READ_PATHS = [one for one in EVERYWHERE if is_read(*one)]
UNREAD_PATHS = [one for one in EVERYWHERE if not is_read(*one)]


def named_path(part):
    """A test's name."""
    return part if isinstance(part, str) else spelled(part)


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


def without(payload, path):
    """A payload that lacks what stands there."""
    copy = deepcopy(payload)
    del good_at(copy, path[:-1])[path[-1]]
    return copy


def read(event, payload):
    """What a payload asks for in an operator's eyes."""
    return events.read(event, json.dumps(payload).encode(), OPERATORS)


def declared(kind, at=()):
    """The way to every member that a type of ours declares and that has a type."""
    for key, hint in get_type_hints(kind).items():
        if key == "model_config" or hint is Any:
            continue
        below = [one for one in (hint, *getattr(hint, "__args__", ())) if is_typeddict(one)]
        yield (*at, key)
        for one in below:
            yield from declared(one, (*at, key))


@pytest.mark.parametrize(
    ("event", "model"),
    [("push", payloads.Push), ("pull_request", payloads.PullRequestEvent)],
)
def test_what_is_declared_is_what_is_read(event, model):
    """The types of ours name the members listed above and their holders, and no others."""
    assert set(declared(model)) == {path for of, path in READ_PATHS if of == event}
    assert {spelled(path) for path in declared(model)} >= set(READ[event])


@pytest.mark.parametrize("event", SAMPLES)
def test_a_whole_payload_is_read(event):
    """With every member set, it asks for a run."""
    assert isinstance(read(event, SAMPLES[event]), Order)


@pytest.mark.parametrize(("event", "path"), READ_PATHS, ids=named_path)
def test_a_wrong_type_of_what_is_read_is_refused(event, path):
    """Each value of another type is unreadable, with the place; null is not where GitHub has it."""
    good = good_at(SAMPLES[event], path)
    for value in VALUES:
        payload = changed(SAMPLES[event], path, value)
        if value is None and READ[event].get(spelled(path)):
            assert isinstance(read(event, payload), Order | Ignored)
        elif type(value) is not type(good):
            with pytest.raises(UnreadableError, match=re.escape(str(path[-1]))):
                read(event, payload)


@pytest.mark.parametrize(("event", "path"), UNREAD_PATHS, ids=named_path)
def test_what_nobody_reads_may_be_anything(event, path):
    """Null, another type, far out of bounds or missing: the very same run is asked for."""
    asked = read(event, SAMPLES[event])
    for value in (*VALUES, -1, 2**70, "x" * 3000, [None], {"login": 1}):
        assert read(event, changed(SAMPLES[event], path, value)) == asked
    assert read(event, without(SAMPLES[event], path)) == asked


def test_members_that_nobody_knows_are_passed_over():
    """GitHub adds members at any time."""
    for event, sample in SAMPLES.items():
        for path, value in [(path, good_at(sample, path)) for path in paths(sample)]:
            if isinstance(value, dict):
                payload = changed(sample, path, value | {"tomorrow": [{"any": "thing"}]})
                assert isinstance(read(event, payload), Order)


@pytest.mark.parametrize("payload", [push(), pull()])
def test_the_fewest_members_are_enough(payload):
    """All that an order needs: repository, ref and commit."""
    event = "pull_request" if "action" in payload else "push"
    for name in ("sender", "before", "deleted"):
        payload.pop(name, None)
    assert isinstance(read(event, payload), Order)


NUMBERS = [
    path for event, path in READ_PATHS if event == "pull_request" and path[-1] in ("id", "number")
]


@pytest.mark.parametrize("path", NUMBERS, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("value", [0, -7, 2**63, 10**400])
def test_a_number_out_of_bounds_is_refused(path, value):
    """No id is below 1 or over 63 bits."""
    with pytest.raises(UnreadableError, match=f"{path[-1]}: .*(greater|less)"):
        read("pull_request", changed(SAMPLES["pull_request"], path, value))


LONG = [
    ("push", ("ref",), "refs/heads/" + "x" * 1014),
    ("push", ("repository", "full_name"), "watchlist/" + "x" * 191),
    ("push", ("repository", "clone_url"), "https://github.com/" + "x" * 2030),
    ("push", ("sender", "login"), "x" * 101),
    ("pull_request", ("pull_request", "head", "ref"), "x" * 2**20),
    ("pull_request", ("pull_request", "base", "ref"), "x" * 1025),
]


@pytest.mark.parametrize(("event", "path", "value"), LONG, ids=lambda part: str(part)[:40])
def test_a_text_out_of_bounds_is_refused(event, path, value):
    """Names, refs and addresses end somewhere; one character less is fine where it is not 1 MB."""
    with pytest.raises(UnreadableError, match=f"{path[-1]}: .* at most"):
        read(event, changed(SAMPLES[event], path, value))
    if len(value) < 3000:
        read(event, changed(SAMPLES[event], path, value[:-1]))


def test_a_million_wrong_types_that_nobody_reads_cost_nothing():
    """They are passed over in the memory of their JSON."""
    payload = changed(SAMPLES["push"], ("head_commit", "added"), [1] * 1_000_000)
    tracemalloc.start()
    assert isinstance(read("push", payload), Order)
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
