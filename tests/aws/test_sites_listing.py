"""Long listings: several pages asked for at once hold what one after the other would."""

import pytest

from benchmarks.store import Store
from tests.aws.conftest import REGION
from tests.aws.test_sites import DAY, FIRST, SECOND, A, B, C, Home
from workers.aws import sites
from workers.aws.faults import ChangedError
from workers.aws.session import Aws
from workers.aws.sites.book import Place

BUCKET = "marketplace.example.com"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
FEW = 4


@pytest.fixture
def store():
    """An S3 whose pages hold three objects."""
    with Store(page=3) as store:
        yield store


@pytest.fixture
def place(store):
    """The sandbox's place there."""
    return Place(Aws(REGION, endpoint_url=store.url), BUCKET, "sandbox")


def put(place, *names):
    """Objects in the place, and one outside of it."""
    for name in names:
        place.aws.s3.put_object(Bucket=BUCKET, Key=place.key(name), Body=b"")
    place.aws.s3.put_object(Bucket=BUCKET, Key="zzz", Body=b"")


@pytest.mark.parametrize("known", [LETTERS, LETTERS[::3], LETTERS[:5], LETTERS[20:], "ä€z", ""])
@pytest.mark.parametrize("there", [LETTERS, LETTERS[:3], LETTERS[7:16], "ä€é", ""])
def test_every_object_is_listed_whatever_was_expected(place, known, there):
    """Names that are not there, and objects that nobody knew of, change nothing."""
    put(place, *there)
    assert set(place.listing(known, FEW)) == set(there)
    assert place.listing(known, FEW) == place.listing()


def test_pages_are_asked_for_at_once(place, store):
    """With the names known, no page waits for the one before it."""
    put(place, *LETTERS)
    store.calls.clear()
    store.delay = 0.2
    place.listing(LETTERS, 3)
    lists = [call for call in store.calls if "list-type" in call.path]
    assert len(lists) == 9
    assert max(call.began for call in lists) < min(call.ended for call in lists)


def still(home, found, later=0.0):
    """Whether a release so many seconds from now may go by what was found."""
    return found.still(home.place, home.rules.keep, home.now + later)


def test_a_release_goes_by_what_its_publishing_saw(aws, cloud, strict):
    """Where nothing was sent a moment ago, and only the book is to be written, S3 is asked once."""
    home = Home(aws, cloud)
    home.deploy(A, FIRST)
    home.deploy(B, FIRST)
    sent = home.publish(C, FIRST)
    strict.requests.clear()
    assert still(home, sent.found)
    sites.release(home.place, sent.found.manifest, home.rules, found=sent.found)
    assert [one.method for one in strict.requests] == ["PUT"]
    assert home.place.read_book()[0].commit == C


def test_another_release_in_between_stops_it(aws, cloud):
    """The book that only another run has read is not written over, and nothing else is touched."""
    home = Home(aws, cloud)
    home.deploy(A, FIRST)
    home.deploy(B, FIRST)
    sent = home.publish(C, FIRST)
    home.deploy(B, SECOND)
    assert still(home, sent.found)
    with pytest.raises(ChangedError):
        sites.release(home.place, sent.found.manifest, home.rules, found=sent.found)
    assert home.live()["index.html"] == SECOND["index.html"]
    assert home.place.read_book()[0].commit == B


@pytest.mark.parametrize(
    ("commit", "files", "later"),
    [
        pytest.param(A, FIRST, 0, id="files to switch"),
        pytest.param(C, SECOND, 8 * DAY, id="files to remove"),
        pytest.param(B, SECOND, 0, id="nothing to write"),
    ],
)
def test_another_release_in_between_is_noticed(aws, cloud, strict, commit, files, later):
    """Where more or less than the book is to be written, its mark is looked at first."""
    home = Home(aws, cloud)
    home.deploy(A, FIRST)
    home.deploy(B, SECOND)
    sent = home.publish(commit, files)
    asked = strict.calls["HeadObject"]
    assert still(home, sent.found, later)
    home.deploy(C, {**SECOND, "new.html": b"new"})
    assert not still(home, sent.found, later)
    assert strict.calls["HeadObject"] == asked + 2


def test_a_publishing_that_sent_files_leaves_nothing_to_go_by(aws, cloud):
    """S3 alone knows when it got them."""
    assert Home(aws, cloud).publish(A, FIRST).found is None
