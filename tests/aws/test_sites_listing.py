"""Long listings: several pages asked for at once hold what one after the other would."""

import pytest

from benchmarks.store import Store
from tests.aws.conftest import REGION
from tests.aws.test_sites import FIRST, SECOND, A, B, C, Home
from workers.aws import sites
from workers.aws.session import Aws
from workers.aws.sites_book import Place
from workers.errors import PassingError

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


def test_a_release_goes_by_what_its_publishing_saw(aws, cloud, strict):
    """Where nothing was sent a moment ago, the release lists and reads nothing again."""
    home = Home(aws, cloud)
    home.deploy(A, FIRST)
    home.deploy(B, FIRST)
    sent = home.publish(C, FIRST)
    assert sent.found.still(home.place)
    strict.requests.clear()
    sites.release(home.place, sent.found.manifest, home.rules, found=sent.found)
    assert [one.method for one in strict.requests] == ["PUT"]
    assert home.place.read_book()[0].commit == C


def test_another_release_in_between_is_noticed(aws, cloud):
    """What was seen before another run was there is not gone by."""
    home = Home(aws, cloud)
    home.deploy(A, FIRST)
    home.deploy(B, FIRST)
    sent = home.publish(C, FIRST)
    home.deploy(B, SECOND)
    assert not sent.found.still(home.place)
    with pytest.raises(PassingError):
        sites.release(home.place, sent.found.manifest, home.rules, found=sent.found)
    assert home.live()["index.html"] == SECOND["index.html"]


def test_a_publishing_that_sent_files_leaves_nothing_to_go_by(aws, cloud):
    """S3 alone knows when it got them."""
    assert Home(aws, cloud).publish(A, FIRST).found is None
