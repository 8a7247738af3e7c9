"""Headers of a site's files: the type, and which names may be kept for ever."""

import pytest

from workers.aws.sites.headers import IMMUTABLE, REVALIDATED, Content, headers, is_hashed, is_page


def of(name, *others, utf8=True, html=False, immutable=(), types=None):
    """The headers of a file in a site with others; of a variant the bytes are the original's."""
    known = {one: Content(utf8=utf8, html=html) for one in (name, *others)}
    if others:
        known[name] = Content(utf8=False)
    return headers(
        name,
        content=known.__getitem__,
        others=known,
        immutable=lambda one: one in immutable,
        types=types or {},
    )


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
        ("CNAME", "text/plain; charset=utf-8"),
        ("a.unheard", "application/octet-stream"),
        ("a.ogg", "audio/ogg"),
        ("a.m4a", "audio/mp4"),
        ("a.flac", "audio/flac"),
        ("a.ics", "text/calendar; charset=utf-8"),
        ("a.mpd", "application/dash+xml; charset=utf-8"),
        ("a.glb", "model/gltf-binary"),
        (
            "a.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("a.XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("a.epub", "application/epub+zip"),
        ("a.apk", "application/vnd.android.package-archive"),
        ("a.avif", "image/avif"),
        ("a.m3u8", "application/vnd.apple.mpegurl"),
        ("a.zip", "application/zip"),
        ("a.tar.gz", "application/gzip"),
    ],
)
def test_types(name, kind):
    """The type follows the extension and not the machine's own tables."""
    assert of(name).content_type == kind


def test_a_name_without_an_extension_is_what_its_bytes_are():
    """A page, a text, or neither."""
    assert of("about", html=True).content_type == "text/html; charset=utf-8"
    assert is_page(of("about", html=True))
    assert of("docs/LICENSE").content_type == "text/plain; charset=utf-8"
    assert of("blob", utf8=False).content_type == "application/octet-stream"
    assert of("a.css", html=True).content_type == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    ("name", "types", "kind"),
    [
        ("a.m4a", {".m4a": "audio/x-m4a"}, "audio/x-m4a"),
        ("a.M4A", {".m4a": "audio/x-m4a"}, "audio/x-m4a"),
        ("about", {"about": "text/html"}, "text/html; charset=utf-8"),
        ("en/about", {"about": "text/html"}, "text/html; charset=utf-8"),
        ("en/about", {"about": "text/html", "en/about": "text/css"}, "text/css; charset=utf-8"),
        ("a.html", {".html": "text/plain"}, "text/plain; charset=utf-8"),
        ("a.txt", {".txt": "text/plain; charset=latin1"}, "text/plain; charset=latin1"),
        ("a.page", {".page": "text/html;charset=latin1"}, "text/html;charset=latin1"),
        ("a.m4a", {".ogg": "audio/x-ogg"}, "audio/mp4"),
    ],
)
def test_the_repositorys_own_types_go_first(name, types, kind):
    """By path, by name, by extension; what is HTML so is a page, and what is not isn't."""
    found = of(name, types=types)
    assert found.content_type == kind
    assert is_page(found) == ("html" in kind)
    if is_page(found):
        assert of(name, types=types, immutable={name}).cache_control == REVALIDATED


@pytest.mark.parametrize("name", ["x.css", "index.html", "feed.xml", "about"])
def test_a_variant_has_its_originals_charset(name):
    """Its own bytes are no text; what a browser unpacks is."""
    variant = of(f"{name}.gz", name)
    assert variant.content_encoding == "gzip"
    assert variant.content_type == of(name).content_type
    assert "charset=utf-8" in variant.content_type


def test_a_variant_of_a_type_of_the_repositorys_own_is_one_too():
    """`types` says what is compressed on its way, as our own table does."""
    types = {".page": "text/html"}
    variant = of("a.page.gz", "a.page", types=types)
    assert (variant.content_encoding, is_page(variant)) == ("gzip", True)


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
