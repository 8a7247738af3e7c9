"""Headers of a site's files: the type, and which names may be kept for ever."""

import pytest

from workers.aws.sites_headers import IMMUTABLE, REVALIDATED, headers, is_hashed, is_page


def of(name, *others, utf8=True, immutable=()):
    """The headers of a file in a site with others."""
    return headers(name, utf8=utf8, others={name, *others}, immutable=lambda one: one in immutable)


@pytest.mark.parametrize(
    "name",
    [
        "main-5QYBUMXV.js",
        "chunk-2HLM7KQZ.js.map",
        "main.3f2a1b4c5d6e7f80.js",
        "static/js/2.a1b2c3d4.chunk.js",
        "assets/index-Di8rgTda.css",
        "media/logo.5d5d9eefa31e5e13a6f8.svg",
        "3f2a1b4c5d6e7f801234.png",
    ],
)
def test_names_with_a_hash_are_kept_for_ever(name):
    """What Angular, Vite, webpack and esbuild write is known."""
    assert is_hashed(name)
    assert of(name).cache_control == IMMUTABLE


@pytest.mark.parametrize(
    "name",
    [
        "index.js",
        "jquery-3.6.0.min.js",
        "bootstrap-datepicker.js",
        "report-20240101.pdf",
        "guide-Version2.pdf",
        "photo-Summer22.jpg",
        "app-CHECKOUT.js",
        "my-FooBarXy.js",
        "facade.js",
        "decade2020.css",
        "ngsw-worker.js",
        "README",
        "abcdef12",
    ],
)
def test_other_names_are_asked_for_again(name):
    """Words, dates, versions and names without an extension are no hashes."""
    assert not is_hashed(name)
    assert of(name).cache_control == REVALIDATED


def test_the_repository_may_name_more():
    """What its own patterns take is kept, but never a page."""
    assert of("app.js", immutable={"app.js"}).cache_control == IMMUTABLE
    assert of("index.html", immutable={"index.html"}).cache_control == REVALIDATED
    assert of("index-5QYBUMXV.html").cache_control == REVALIDATED


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("a.HTM", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.svg", "image/svg+xml; charset=utf-8"),
        ("sitemap.xml", "application/xml; charset=utf-8"),
        ("a.wasm", "application/wasm"),
        ("a.webmanifest", "application/manifest+json"),
        ("a.js.map", "application/json"),
        ("a.woff2", "font/woff2"),
        ("favicon.ico", "image/x-icon"),
        ("a.png", "image/png"),
        (".well-known/apple-app-site-association", "application/json"),
        ("CNAME", "application/octet-stream"),
        ("a.tar.gz", "application/gzip"),
    ],
)
def test_types(name, kind):
    """The type follows the extension and not the machine's own tables."""
    assert of(name).content_type == kind


def test_the_charset_is_named_only_if_it_is_right():
    """A page in another encoding keeps what it says of itself."""
    assert of("index.html", utf8=False).content_type == "text/html"


@pytest.mark.parametrize(("ending", "encoding"), [(".gz", "gzip"), (".br", "br")])
def test_a_variant_beside_its_original_is_encoded(ending, encoding):
    """Type and caching are the original's."""
    name = "main-5QYBUMXV.js"
    variant, original = of(name + ending, name), of(name)
    assert variant.content_encoding == encoding
    assert variant.cache_control == original.cache_control


@pytest.mark.parametrize(
    ("name", "others"), [("data.json.gz", ()), ("a.png.gz", ("a.png",)), ("a.tar.gz", ("a.tar",))]
)
def test_a_download_is_not_encoded(name, others):
    """Alone, or beside what nobody compresses on the way, it is a file to keep as it is."""
    assert of(name, *others).content_encoding is None


def test_compressed_pages_are_pages():
    """They go last with the others."""
    assert is_page(of("index.html.br", "index.html"))
    assert not is_page(of("a.css"))
