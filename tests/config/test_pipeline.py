"""A repository's slipway.toml: what is read, defaulted and refused."""

import pytest
from pydantic import ValidationError

from config import pipeline

DESIGN = """\
[test]
dockerfile = "Dockerfile.test"
[test.checks]                     # each in its own container, all at once
lint = "npm run lint"
unit = "npm run test"
coverage = { run = "npm run coverage", report = "coverage" }   # HTML kept and served

[build]
dockerfile = "Dockerfile"         # without one, a preset for the runtime is used
path = "/app"                     # where the files are in the image
args = { ENVIRONMENT = "{environment}" }

[package]
include = ["node_modules", "src"] # default for the functions below

[functions.MoviesStoreListMovies]
runtime = "nodejs20.x"
handler = "src/movies/findAll/index.handler"
include = ["node_modules", "src/movies/findAll"]   # overrides the default
smoke = { payload = {}, expect = 200 }             # the verify stage invokes the new version

[site]
bucket = "marketplace.example.com"
path = "/app/dist"

[sonar]
project = "movies-store"
timeout = "5m"
"""
FUNCTION = '[functions.Foo]\nruntime = "python3.13"\nhandler = "app.handler"\n'


def refused(text):
    """What is said of a file, without the file's name."""
    with pytest.raises(pipeline.ConfigError) as caught:
        pipeline.parse(text)
    return [f"{problem.line}: {problem.message}" for problem in caught.value.problems]


def test_the_designs_example_is_read():
    """Every key of the contract arrives as a value of its own type."""
    file = pipeline.parse(DESIGN)
    assert file.test.checks["lint"] == pipeline.Check(run="npm run lint")
    assert file.test.checks["coverage"].report == "coverage"
    assert file.functions["MoviesStoreListMovies"].smoke.payload == {}
    assert file.functions["MoviesStoreListMovies"].smoke.expect == 200
    assert file.site.path == "/app/dist"
    assert file.sonar.timeout == 300


def test_what_is_left_out_has_a_default():
    """The smallest file is one function."""
    file = pipeline.parse(FUNCTION)
    assert file.test is None
    assert file.site is None
    assert file.sonar is None
    assert (file.build.dockerfile, file.build.path, file.build.network) == (
        "Dockerfile",
        "/app",
        True,
    )
    assert dict(file.build.args) == {}
    assert file.selection("Foo") == ((), ())
    smoke = pipeline.parse(FUNCTION + "smoke = {}").functions["Foo"].smoke
    assert (smoke.payload, smoke.expect) == ({}, 200)
    checks = pipeline.parse(FUNCTION + "[test.checks]\nunit = 'x'").test
    assert (checks.dockerfile, checks.network, checks.timeout) == ("Dockerfile.test", False, None)
    assert pipeline.parse(FUNCTION + "[sonar]\nproject = 'p'").sonar.timeout == 300


def test_a_function_overrides_the_package_key_by_key():
    """What a function leaves out comes from [package]; an empty list is said, not left out."""
    file = pipeline.parse(
        '[package]\ninclude = ["src"]\nexclude = ["*.md"]\n'
        + FUNCTION
        + FUNCTION.replace("Foo", "Bar")
        + 'include = ["lib"]\nexclude = []\n'
    )
    assert file.selection("Foo") == (("src",), ("*.md",))
    assert file.selection("Bar") == (("lib",), ())
    with pytest.raises(KeyError):
        file.selection("Baz")


def test_the_file_cannot_be_changed_once_read():
    """Neither a field nor a mapping can be replaced."""
    file = pipeline.parse(DESIGN)
    with pytest.raises(ValidationError):
        file.build.path = "/"
    for mapping in (file.test.checks, file.functions, file.build.args):
        with pytest.raises(TypeError):
            mapping["x"] = None
    with pytest.raises(TypeError):
        pipeline.parse(FUNCTION).build.args["x"] = "y"


def test_build_arguments_are_filled_in_once():
    """A value that looks like a placeholder stays as it is."""
    text = FUNCTION + '[build.args]\nA = "{environment}-{commit}{branch}"\nB = "plain"\n'
    build = pipeline.parse(text).build
    assert build.arguments(environment="{commit}", commit="c0ffee", branch="b") == {
        "A": "{commit}-c0ffeeb",
        "B": "plain",
    }


@pytest.mark.parametrize(
    "value", ["{env}", "{environment", "}", "{}", "{environment.x}", "{{commit}}"]
)
def test_other_placeholders_are_refused(value):
    """Only the three placeholders may stand in braces."""
    (said,) = refused(f'{FUNCTION}[build]\nargs = {{ A = "{value}" }}\n')
    assert said == (
        "5: build.args.A: expected text in which only {environment}, {commit}, {branch} "
        "stand in braces"
    )


@pytest.mark.parametrize("text", ["", "[build]\n", "[functions]\n"])
def test_a_file_that_releases_nothing_is_refused(text):
    """Neither a function nor a site: the message says what to add."""
    assert refused(text) == ["1: nothing to release: add [functions.NAME] or [site]"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[test]", "4: test.checks: missing; add it: a command for each check"),
        ("[test.checks]", '4: test.checks: no check: add one, such as unit = "npm test"'),
        ("[test.checks]\nunit = ''", "5: test.checks.unit: expected a shell command"),
        (
            "[test.checks]\nunit = 1",
            "5: test.checks.unit: expected a command or a table, got a whole number",
        ),
        (
            "[test.checks]\nunit = ['x']",
            "5: test.checks.unit: expected a command or a table, got a",
        ),
        ("[test.checks]\nunit = {}", "5: test.checks.unit.run: missing; add it: shell command"),
        ("[test.checks]\n'a b' = 'x'", "5: test.checks.'a b': expected a name of at most 50"),
        ("[test.checks]\n_a = 'x'", "5: test.checks._a: expected a name of at most 50"),
        (f"[test.checks]\n{'a' * 51} = 'x'", f"5: test.checks.{'a' * 51}: expected a name of at"),
        ("[test.checks.a]\nrun = 'x'\nreport = '../x'", "6: test.checks.a.report: expected a path"),
        ("[test.checks.a]\nrun = 'x'\njunit = '/x'", "6: test.checks.a.junit: expected a path"),
        (
            "[test.checks.a]\nrun = 'x'\ntimeout = '5'",
            "6: test.checks.a.timeout: expected a duration",
        ),
        ("[test.checks.a]\nrun = 'x'\nnetwork = 1", "6: test.checks.a.network: expected true or"),
        (
            "[test.checks.a]\nrum = 'x'\nrun = 'x'",
            "5: test.checks.a.rum: unknown key; did you mean",
        ),
        ("[build]\npath = 'app'", "5: build.path: expected an absolute path in the image"),
        ("[build]\npath = '/app/../etc'", "5: build.path: expected an absolute path in the image"),
        ("[build]\ndockerfile = '/etc/x'", "5: build.dockerfile: expected a path inside the tree"),
        ("[build]\ndockerfile = 'a\\b'", "5: build.dockerfile: expected a path inside the tree"),
        ("[build]\nargs = { 'A-B' = 'x' }", "5: build.args.A-B: expected the name of an ARG"),
        ("[build]\nargs = { A = 1 }", "5: build.args.A: expected a string, got a whole number"),
        ("[package]\ninclude = 'src'", "5: package.include: expected a list, got a string"),
        ("[package]\ninclude = ['a',\n'../b']", "6: package.include[1]: expected a path inside"),
        ("[package]\nexclude = ['']", "5: package.exclude[0]: expected some text, got none"),
        (
            "[functions.'a b']\nruntime='x'\nhandler='y'",
            "4: functions.'a b': expected a function's",
        ),
        ("[site]\nbucket = 'B'\npath = '/x'", "5: site.bucket: expected an S3 bucket's name"),
        ("[sonar]\nproject = '1'", "5: sonar.project: expected the key of a SonarQube project"),
    ],
)
def test_a_wrong_value_is_told_where_it_stands(line, said):
    """Each rule has its own words, on the line of the value."""
    (only,) = refused(f"{FUNCTION}{line}\n")
    assert only.startswith(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "smoke = { payload = { at = 1979-05-27 } }",
            "4: functions.Foo.smoke.payload: expected what",
        ),
        (
            "smoke = { payload = nan }",
            "4: functions.Foo.smoke.payload: expected what JSON can hold",
        ),
        ("smoke = { expect = 99 }", "4: functions.Foo.smoke.expect: expected at least 100"),
        ("smoke = { expect = '200' }", "4: functions.Foo.smoke.expect: expected a whole number"),
        ("memory = 128", "4: functions.Foo.memory: unknown key"),
    ],
)
def test_a_wrong_value_of_a_function_is_told(line, said):
    """A payload that is no JSON, and settings that Slipway leaves alone, are refused."""
    (only,) = refused(f"{FUNCTION}{line}\n")
    assert only.startswith(said)


def test_new_runtimes_need_no_new_slipway():
    """Runtimes are a matter of form, not of a list."""
    for runtime in ("python4.0", "nodejs30.x", "provided.al2023"):
        text = FUNCTION.replace("python3.13", runtime)
        assert pipeline.parse(text).functions["Foo"].runtime == runtime
    (said,) = refused(FUNCTION.replace("python3.13", "Python 3"))
    assert said == '2: functions.Foo.runtime: expected a Lambda runtime such as "python3.13"'


def test_more_checks_or_functions_than_a_run_can_bear_are_refused():
    """A pull request can't ask for a thousand containers."""
    many = "".join(f"c{i} = 'true'\n" for i in range(pipeline.MAX_CHECKS + 1))
    (said,) = refused(f"{FUNCTION}[test.checks]\n{many}")
    assert said == "4: test.checks: expected at most 50 checks, got 51; split the file"


def test_check_lists_the_problems_of_a_file(tmp_path):
    """The command line gets a line for each problem, and nothing for a valid file."""
    path = tmp_path / "slipway.toml"
    path.write_text(DESIGN)
    assert pipeline.check(path) == []
    path.write_text("[site]\nbucket = 'b'\n")
    said = pipeline.check(path)
    assert [line.split(" ")[0] for line in said] == [f"{path}:1:", f"{path}:2:"]
    assert pipeline.check(tmp_path / "gone.toml")[0].startswith(f"{tmp_path}/gone.toml:1: can't")


def test_runtime_and_handler_may_be_left_out():
    """Then there is nothing to compare with the function's."""
    found = pipeline.parse("[functions.Foo]\n").functions["Foo"]
    assert (found.runtime, found.handler) == (None, None)
