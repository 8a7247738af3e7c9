"""Sites in S3: what is sent, when users notice, what stays for the way back and what goes."""

import hashlib
import time

import pytest

from tests.aws.conftest import BUCKET
from tests.aws.wire import Answer, refusal
from workers.aws import sites
from workers.aws.sites.book import File, Manifest, Place
from workers.aws.sites.headers import IMMUTABLE, REVALIDATED, Content, headers
from workers.ledger.model.errors import OurError, PassingError, StoppedError

A, B, C = "a" * 40, "b" * 40, "c" * 40
DAY = 86400.0
HASHED = "assets/main-5QYBUMXV.js"
OTHER = "assets/main-7ZK2B4QX.js"
FIRST = {
    "index.html": b"<p>one",
    "about/index.html": b"<p>about",
    HASHED: b"1",
    "logo.svg": b"<svg/>",
}
SECOND = {
    "index.html": b"<p>two",
    "about/index.html": b"<p>about",
    OTHER: b"2",
    "logo.svg": b"<g/>",
}


class Home:
    """A site's place, a clock, and what tests ask of them."""

    def __init__(self, aws, cloud):
        self.cloud = cloud
        self.place = Place(aws, BUCKET, "sandbox")
        self.now = 1_000_000.0
        self.said = []
        self.asked = 0

    @property
    def rules(self):
        """Seven days, by the test's clock."""
        return sites.Rules(keep=7 * DAY, say=self.said.append, clock=lambda: self.now)

    def manifest(self, commit, files):
        """A manifest as the build would give it."""
        return Manifest(
            commit=commit,
            files={
                name: File(
                    sha256=hashlib.sha256(data).hexdigest(),
                    size=len(data),
                    headers=headers(
                        name,
                        content=lambda _: Content(utf8=True),
                        others=files,
                        immutable=lambda _: False,
                    ),
                )
                for name, data in files.items()
            },
        )

    def publish(self, commit, files):
        """Send a site ahead."""

        def source():
            self.asked += 1
            return files.__getitem__

        return sites.publish(self.place, self.manifest(commit, files), source, self.rules)

    def release(self, commit, files):
        """Make it live."""
        return sites.release(self.place, self.manifest(commit, files), self.rules)

    def deploy(self, commit, files):
        """Both."""
        return self.publish(commit, files), self.release(commit, files)

    def back(self, commit):
        """Make a commit's site live again by what is on record of it, as a rollback does."""
        manifest = self.place.read_manifest(commit)
        assert sites.missing(self.place, manifest) == []
        return sites.release(self.place, manifest, self.rules)

    def live(self):
        """Everything under the environment's prefix, by name."""
        keys = self.cloud.moto.objects(BUCKET)
        names = [key.removeprefix("sandbox/") for key in keys if key.startswith("sandbox/")]
        return {name: self.cloud.moto.read(BUCKET, f"sandbox/{name}") for name in names}

    def head(self, name):
        """How S3 serves a file."""
        return self.cloud.client("s3").head_object(Bucket=BUCKET, Key=f"sandbox/{name}")


@pytest.fixture
def home(aws, cloud):
    """A place without a site."""
    return Home(aws, cloud)


def written(strict):
    """The keys that were written under the environment's prefix, in this order."""
    start = f"/{BUCKET}/sandbox/"
    paths = [one.path for one in strict.requests if one.method == "PUT"]
    return [path.removeprefix(start) for path in paths if path.startswith(start)]


def test_a_site_goes_live_with_its_pages_last(home, strict):
    """Publishing changes no page; the release writes the pages after everything else."""
    home.publish(A, FIRST)
    assert set(home.live()) == {HASHED, "logo.svg"}
    assert written(strict) == [HASHED, "logo.svg"]
    released = home.release(A, FIRST)
    assert home.live() == FIRST
    assert released == sites.Released(switched=2, removed=0)
    assert sorted(written(strict)[2:]) == ["about/index.html", "index.html"]


def test_files_have_their_headers(home):
    """Types, charset and how long a file may be kept are what S3 serves."""
    home.deploy(A, FIRST)
    page, asset, image = home.head("index.html"), home.head(HASHED), home.head("logo.svg")
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert page["CacheControl"] == REVALIDATED
    assert asset["ContentType"] == "text/javascript; charset=utf-8"
    assert asset["CacheControl"] == IMMUTABLE
    assert image["ContentType"] == "image/svg+xml; charset=utf-8"
    assert image["CacheControl"] == REVALIDATED


def test_compressed_variants_say_their_encoding(home):
    """A .gz beside its original bears the original's type and its own encoding."""
    home.deploy(A, {"app.js": b"x", "app.js.gz": b"\x1f\x8b", "data.gz": b"\x1f\x8b"})
    assert home.head("app.js.gz")["ContentEncoding"] == "gzip"
    assert home.head("app.js.gz")["ContentType"].startswith("text/javascript")
    assert "ContentEncoding" not in home.head("data.gz")


def test_what_is_there_is_not_sent_again(home, strict):
    """The same files at another commit: nothing is sent, nothing switched, nothing asked for."""
    home.deploy(A, FIRST)
    before = len(written(strict))
    assert home.deploy(B, FIRST) == (sites.Sent(0, 0), sites.Released(0, 0))
    assert len(written(strict)) == before
    assert home.asked == 1
    assert strict.calls["HeadObject"] == 0


def test_only_what_changed_is_sent(home, strict):
    """A second version sends its new asset and blobs of what it replaces."""
    home.deploy(A, FIRST)
    sent, released = home.deploy(B, SECOND)
    assert sent.files == 3
    assert released.switched == 2
    assert home.live() == {**FIRST, **SECOND}


def test_nothing_live_changes_before_the_release(home):
    """A published candidate is not to be seen, but for its new assets."""
    home.deploy(A, FIRST)
    home.publish(B, SECOND)
    assert home.live() == {**FIRST, OTHER: b"2"}


def test_stale_files_go_only_after_their_time(home):
    """An old asset stays for the delay, and is removed by a later release."""
    home.deploy(A, FIRST)
    home.deploy(B, SECOND)
    home.now += 6 * DAY
    home.deploy(C, SECOND)
    assert HASHED in home.live()
    home.now += 2 * DAY
    released = home.release(C, SECOND)
    assert home.live() == SECOND
    assert released.removed > 0
    assert f"slipway/sites/sandbox/{A}.json" not in home.cloud.moto.objects(BUCKET)
    assert f"slipway/sites/sandbox/{C}.json" in home.cloud.moto.objects(BUCKET)


def test_a_file_that_comes_back_is_not_removed(home):
    """What a release uses again loses its date."""
    home.deploy(A, FIRST)
    home.deploy(B, SECOND)
    home.now += 6 * DAY
    home.deploy(C, FIRST)
    home.now += 2 * DAY
    home.release(C, FIRST)
    assert home.live()[HASHED] == b"1"


def test_what_was_published_and_never_released_goes_too(home):
    """The assets and blobs of an abandoned candidate are removed when their time has come."""
    home.deploy(A, FIRST)
    blobs = [key for key in home.cloud.moto.objects(BUCKET) if "/blobs/" in key]
    home.publish(B, SECOND)
    home.now += 8 * DAY
    home.deploy(C, FIRST)
    assert home.live() == FIRST
    assert [key for key in home.cloud.moto.objects(BUCKET) if "/blobs/" in key] == blobs


def test_foreign_files_are_left_alone(home):
    """What somebody else put beside the site stays, and so do other environments."""
    s3 = home.cloud.client("s3")
    for key in ("sandbox/uploads/x.png", "production/index.html"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"theirs")
    home.deploy(A, FIRST)
    home.deploy(B, SECOND)
    home.now += 8 * DAY
    home.release(B, SECOND)
    assert home.live() == {**SECOND, "uploads/x.png": b"theirs"}
    assert home.cloud.moto.read(BUCKET, "production/index.html") == b"theirs"


@pytest.mark.parametrize("name", ["index.html", HASHED])
def test_drift_of_headers_is_repaired(home, name):
    """Headers that somebody changed are as they should be after the next release."""
    home.deploy(A, FIRST)
    wanted = home.head(name)
    time.sleep(1.1)  # S3 lists times in seconds
    home.cloud.client("s3").copy_object(
        Bucket=BUCKET,
        Key=f"sandbox/{name}",
        CopySource=f"{BUCKET}/sandbox/{name}",
        MetadataDirective="REPLACE",
        CacheControl="max-age=5",
    )
    home.deploy(B, FIRST)
    assert home.head(name)["CacheControl"] == wanted["CacheControl"]
    assert home.head(name)["ContentType"] == wanted["ContentType"]
    assert home.live() == FIRST


@pytest.mark.parametrize("name", ["index.html", HASHED, "logo.svg"])
def test_drift_of_content_is_repaired(home, name):
    """Bytes that somebody changed, or a file that somebody removed, come back."""
    s3 = home.cloud.client("s3")
    home.deploy(A, FIRST)
    s3.put_object(Bucket=BUCKET, Key=f"sandbox/{name}", Body=b"broken")
    home.deploy(B, FIRST)
    assert home.live() == FIRST
    s3.delete_object(Bucket=BUCKET, Key=f"sandbox/{name}")
    home.deploy(C, FIRST)
    assert home.live() == FIRST


def test_changed_rules_change_headers_without_sending(home):
    """Other headers for the same bytes are a copy inside S3."""
    home.deploy(A, FIRST)
    manifest = home.manifest(B, FIRST)
    logo = manifest.files["logo.svg"]
    kept = logo.headers.model_copy(update={"cache_control": IMMUTABLE})
    changed = manifest.model_copy(
        update={"files": {**manifest.files, "logo.svg": logo.model_copy(update={"headers": kept})}}
    )
    sent = sites.publish(home.place, changed, lambda: FIRST.__getitem__, home.rules)
    assert sent.files == 0
    assert sites.release(home.place, changed, home.rules).switched == 1
    assert home.head("logo.svg")["CacheControl"] == IMMUTABLE


def test_a_rollback_needs_no_files(home):
    """The old pages and files are back, by copies inside S3 alone, and forth again."""
    home.deploy(A, FIRST)
    home.deploy(B, SECOND)
    before = home.asked
    done = home.back(A)
    assert home.live() == {**FIRST, OTHER: b"2"}
    assert home.head("index.html")["CacheControl"] == REVALIDATED
    assert done.switched == 2
    home.back(B)
    assert home.live() == {**SECOND, HASHED: b"1"}
    assert home.asked == before
    assert home.place.read_book()[0].commit == B


def test_a_rollback_reaches_as_far_as_files_are_kept(home):
    """Of a commit whose files have gone, or that was never there, nothing is on record."""
    home.deploy(A, FIRST)
    home.deploy(B, SECOND)
    first = home.place.read_manifest(A)
    assert home.place.read_manifest(C) is None
    assert sites.missing(home.place, first) == []
    home.now += 8 * DAY
    home.release(B, SECOND)
    assert home.place.read_manifest(A) is None
    assert HASHED in sites.missing(home.place, first)
    assert home.live() == SECOND


def test_files_that_are_gone_are_named(home):
    """A release whose blob somebody removed changes nothing and names the file."""
    home.deploy(A, FIRST)
    home.publish(B, SECOND)
    book, mark = home.place.read_book()
    home.place.write_book(book.model_copy(update={"blobs": {}}), mark)
    with pytest.raises(OurError, match=r"gone, such as '(logo|index)\."):
        home.release(B, SECOND)
    assert home.live() == {**FIRST, OTHER: b"2"}


def test_a_release_that_fails_is_put_back(home, strict, aws):
    """A copy that S3 refuses leaves every file as it was, also one that was not there before."""
    home.deploy(A, FIRST)
    new = {**SECOND, "new/index.html": b"<p>new"}
    home.publish(B, new)
    with (
        refusing(strict, f"/{BUCKET}/{home.place.key('index.html')}") as s3,
        pytest.raises(PassingError),
    ):
        home.release(B, new)
    assert s3.struck > 0
    assert home.live() == {**FIRST, OTHER: b"2"}
    assert home.place.read_book()[0].commit == A
    home.release(B, new)
    assert home.live() == {**new, HASHED: b"1"}


class Answering:
    """Somebody on the way to S3 who answers some requests himself, and counts them."""

    def __init__(self, strict, wanted, answer, times=1000):
        self.strict = strict
        self.wanted = wanted
        self.answer = answer
        self.left = times
        self.struck = 0
        self.work = strict._work

    def __enter__(self):
        def work(request):
            if self.struck < self.left and self.wanted(request):
                self.struck += 1
                return self.answer(request)
            return self.work(request)

        self.strict._work = work
        return self

    def __exit__(self, *_):
        self.strict._work = self.work


def refusing(strict, path):
    """S3 that answers 503 to every PUT of one path."""
    return Answering(
        strict,
        lambda request: request.method == "PUT" and request.path == path,
        lambda request: refusal(request, 503, "SlowDown", "injected"),
    )


def listing(request):
    """Whether it asks what lies there."""
    return request.query.get("list-type") == "2"


def page(body):
    """An answer with status 200 that is somebody else's."""
    return lambda _request: Answer(200, {"Content-Type": "application/xml"}, body)


NOT_OF_S3 = {
    "no XML": b"<p>Please sign in<br>",
    "other XML": b"<html><p>Please sign in</p></html>",
    "without keys": b"<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
    "without times": b"<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
}


@pytest.mark.parametrize("body", NOT_OF_S3.values(), ids=NOT_OF_S3)
def test_an_answer_that_is_none_of_s3s_is_asked_for_again(home, strict, body):
    """A proxy's page in place of a listing is no listing, nor one of nothing."""
    home.deploy(A, FIRST)
    with Answering(strict, listing, page(body), times=1) as proxy:
        assert set(home.place.listing()) == set(FIRST)
    assert proxy.struck == 1


@pytest.mark.parametrize(("kind", "fault"), [("no XML", PassingError), ("without times", KeyError)])
def test_whatever_goes_wrong_after_the_switch_is_put_back(home, strict, kind, fault):
    """A site that switched and can't be put on record is as it was: its functions go back too."""
    home.deploy(A, FIRST)
    home.publish(B, SECOND)
    switched = f"/{BUCKET}/{home.place.key('index.html')}"

    def after(request):
        return listing(request) and switched in [one.path for one in strict.requests]

    strict.requests.clear()
    with Answering(strict, after, page(NOT_OF_S3[kind])) as proxy, pytest.raises(fault):
        home.release(B, SECOND)
    assert proxy.struck > 0
    assert home.live() == {**FIRST, OTHER: b"2"}
    assert home.place.read_book()[0].commit == A
    assert home.said == ["putting 2 files back"]


def test_who_has_lost_the_site_puts_nothing_back(home, strict):
    """Another worker may be at it already, and must find what it decided on."""
    home.deploy(A, FIRST)
    home.publish(B, SECOND)
    left = [3]

    def watch():
        left[0] -= 1
        if left[0] < 0:
            raise StoppedError("lost")

    lost = sites.Rules(keep=DAY, say=home.said.append, watch=watch, clock=lambda: home.now)
    strict.requests.clear()
    with pytest.raises(StoppedError):
        sites.release(home.place, home.manifest(B, SECOND), lost)
    assert written(strict)
    assert home.said == []


class KilledError(BaseException):
    """What ends a worker where it stands: nothing of it goes on."""


@pytest.mark.parametrize("at", range(1, 12))
def test_a_publishing_that_dies_anywhere_is_repeated(home, at):
    """Whichever request is the last of a worker, the next one ends with the same site."""
    home.deploy(A, FIRST)
    left = [at]

    def watch():
        left[0] -= 1
        if left[0] == 0:
            raise KilledError

    dying = sites.Rules(keep=DAY, watch=watch, clock=lambda: home.now)
    manifest = home.manifest(B, SECOND)
    try:
        sites.publish(home.place, manifest, lambda: SECOND.__getitem__, dying)
        sites.release(home.place, manifest, dying)
    except KilledError:
        pass
    home.deploy(B, SECOND)
    assert home.live() == {**SECOND, HASHED: b"1"}
    home.now += 8 * DAY
    home.deploy(C, SECOND)
    assert home.live() == SECOND


def test_a_bucket_that_is_missing_is_the_operators_turn(home, aws):
    """The error names the bucket and says what to do."""
    nowhere = Place(aws, "no-such-bucket", "sandbox")
    with pytest.raises(OurError, match=r"no-such-bucket.*the bucket doesn't exist"):
        sites.publish(nowhere, home.manifest(A, FIRST), lambda: FIRST.__getitem__, home.rules)


def test_two_writers_of_the_book_are_found(home):
    """Who writes over a book that changed since it was read is refused."""
    home.deploy(A, FIRST)
    book, mark = home.place.read_book()
    home.place.write_book(book.model_copy(update={"commit": B}), mark)
    with pytest.raises(PassingError):
        home.place.write_book(book.model_copy(update={"commit": C}), mark)


def test_the_name_of_our_own_folder_is_no_environment(aws):
    """An environment called slipway would lie among Slipway's own records."""
    with pytest.raises(OurError, match="'slipway'"):
        Place(aws, BUCKET, "slipway")


def test_names_of_all_kinds_survive(home):
    """Spaces, umlauts, plus signs and percent signs in names are the same in S3."""
    files = {"a b/ü+%20&.txt": b"1", "index.html": b"2", "é/index.html": b"3", "x~(1)*'!.txt": b"4"}
    home.deploy(A, files)
    assert home.live() == files
    assert home.publish(B, files).files == 0
