"""Repositories that can't be deployed: each gets its reason, and nothing is touched."""

from dataclasses import dataclass

import pytest

from tests.e2e.town import DEPLOY, DOCKERFILE, PASSES, Files, Place, Town, pipeline

pytestmark = pytest.mark.e2e

INVALID = """[functions.TownBadInvalid]
runtime = "python3.11"
handler = "index.lambda_handler"

[build]
path = 7
"""
HANGS = f'unit = "{PASSES}"\nhang = {{ run = "echo waiting; sleep 99", timeout = "2s" }}'
FAILS = f'unit = "{PASSES}"\nlint = "echo badly written; exit 3"'


@dataclass
class Outcome:
    """What became of one bad repository."""

    place: Place
    commit: str

    def __post_init__(self) -> None:
        self.run = self.place.ended(self.commit)
        self.story = self.place.story(self.commit)
        self.states = self.place.states(self.commit)

    def description(self, context: str) -> str:
        """What GitHub shows."""
        return self.place.latest(self.commit)[context].description or ""

    def stages(self) -> dict[str, str]:
        """The state of each stage."""
        return {stage["name"]: stage["state"] for stage in self.run["stages"]}

    def assert_failed(self, at: str, state: str = "failure") -> None:
        """Failed in one stage, those before it done, those after it skipped, none left open."""
        assert self.run["state"] == "failed", self.story
        names = list(self.stages())
        here = names.index(at)
        ends = ["succeeded"] * here + ["failed"] + ["skipped"] * (len(names) - here - 1)
        assert list(self.stages().values()) == ends, self.story
        assert set(self.states) == {DEPLOY}, self.story
        assert self.states[DEPLOY] == state, self.story

    def assert_untouched(self) -> None:
        """AWS never heard of it."""
        assert self.place.versions() == []
        assert self.place.packages() == []
        assert self.place.moves() == []
        calls = [r for r in self.place.town.gate.requests if r.function == self.place.function]
        assert not calls


def _repositories(town: Town) -> dict[str, tuple[Place, Files]]:
    def place(name, **changes):
        made = town.place(f"bad-{name}")
        return made, made.files(**changes)

    def checks(name, text):
        made = town.place(f"bad-{name}")
        return made, made.files(slipway__toml=pipeline(made.function, text))

    ghost = town.place("bad-ghost", function=False)
    greedy = town.place("bad-greedy")
    bucketless = town.place("bad-bucket", owner="bucketless")
    return {
        "no-file": place("no-file", slipway__toml=None),
        "invalid": place("invalid", slipway__toml=INVALID),
        "greedy": (greedy, greedy.files(slipway__toml=pipeline("SomebodyElses"))),
        "fails": checks("fails", FAILS),
        "hangs": checks("hangs", HANGS),
        "no-dockerfile": place("no-dockerfile", Dockerfile=None),
        "no-build": place("no-build", Dockerfile=f"{DOCKERFILE}RUN echo no such luck; exit 9\n"),
        "ghost": (ghost, ghost.files()),
        "no-bucket": (bucketless, bucketless.files()),
    }


@pytest.fixture(scope="module")
def ends(town: Town) -> dict[str, Outcome]:
    """All of them, pushed at once; each has ended."""
    everything = _repositories(town)
    # A deletion needs something to delete: git has no empty commit here otherwise.
    pushed = {
        name: (place, place.push({path: text for path, text in files.items() if text is not None}))
        for name, (place, files) in everything.items()
    }
    return {name: Outcome(place, commit) for name, (place, commit) in pushed.items()}


def test_no_pipeline_file(ends):
    """Without a slipway.toml the status says that it is missing and where it belongs."""
    end = ends["no-file"]
    end.assert_failed("checkout")
    assert "slipway.toml is missing at the root" in end.description(DEPLOY)
    end.assert_untouched()


def test_an_invalid_pipeline_file(ends):
    """The status names file and line, and what was expected there."""
    end = ends["invalid"]
    end.assert_failed("checkout")
    assert "slipway.toml:6" in end.description(DEPLOY), end.story
    assert "expected" in end.description(DEPLOY).lower(), end.story
    assert end.run["stages"][0]["error"] in end.description(DEPLOY)
    end.assert_untouched()


def test_a_function_that_the_operator_does_not_allow(ends):
    """A repository can't deploy to a function that is not its own; AWS hears nothing of it."""
    end = ends["greedy"]
    end.assert_failed("checkout")
    assert "does not allow town/bad-greedy" in end.description(DEPLOY)
    assert "SomebodyElses" in end.description(DEPLOY)
    end.assert_untouched()
    assert not any("SomebodyElses" in r.path for r in end.place.town.gate.requests)


def test_a_failing_check(ends):
    """The status bears the check's name; what follows is skipped, and nothing stays pending."""
    end = ends["fails"]
    end.assert_failed("test")
    assert end.states == {DEPLOY: "failure"}
    assert end.description(DEPLOY) == "lint failed with exit code 3"
    assert "[test/lint] badly written" in end.place.log(end.commit)
    end.assert_untouched()


def test_a_check_that_hangs(ends, town):
    """It is stopped at its own time limit, with its container."""
    end = ends["hangs"]
    end.assert_failed("test")
    assert end.description(DEPLOY) == "hang timed out after 2 s"
    town.assert_clean(end.run["id"])
    end.assert_untouched()


def test_no_dockerfile(ends):
    """A missing Dockerfile is told before anything is built."""
    end = ends["no-dockerfile"]
    end.assert_failed("checkout")
    assert "Dockerfile is not in commit" in end.description(DEPLOY)
    end.assert_untouched()


def test_a_build_that_fails(ends, town):
    """A failing Dockerfile is the code's fault; its own words are in the log and the error."""
    end = ends["no-build"]
    end.assert_failed("build")
    assert end.states == {DEPLOY: "failure"}
    assert "the image build of Dockerfile failed" in end.description(DEPLOY)
    assert "no such luck" in end.run["stages"][3]["error"]
    town.assert_clean(end.run["id"])
    end.assert_untouched()


def test_a_function_that_is_not_in_aws(ends):
    """The status says which function is missing."""
    end = ends["ghost"]
    end.assert_failed("deploy")
    assert end.states == {DEPLOY: "failure"}
    assert "TownBadGhost" in end.description(DEPLOY)
    assert end.place.moves() == []


def test_a_bucket_that_is_not_in_aws(ends):
    """The operator's mistake is no fault of the code, and names the bucket."""
    end = ends["no-bucket"]
    end.assert_failed("publish", "error")
    assert end.states == {DEPLOY: "error"}
    assert "a-bucket-that-nobody-made" in end.description(DEPLOY)
    assert end.place.versions() == []


def test_a_bad_repository_stands_in_nobodys_way(ends, town):
    """After all of them, a good one is deployed."""
    place = town.place("good")
    place.assert_deployed(place.push())
