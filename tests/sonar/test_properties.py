"""What of a repository's sonar-project.properties the scanner gets to see."""

import pytest

from workers.ledger.model.errors import UserError
from workers.sonar.properties import admitted, parse, render


def test_files_are_read_as_java_reads_them():
    """Separators, comments, continued lines, escapes: as in java.util.Properties."""
    text = (
        "# a comment \\\n! another\n\n"
        "sonar.sources = src , lib\\\n   ,more\n"
        "sonar.tests:tests\r\n"
        "sonar.projectName Films \\u00e9\\t\\\\ \n"
        "sonar.odd\\ key\\=x=y=z\n"
        "  sonar.empty\n"
        "sonar.twice=1\nsonar.twice=2\n"
        "sonar.last=\\"
    )
    assert parse(text) == {
        "sonar.sources": "src , lib,more",
        "sonar.tests": "tests",
        "sonar.projectName": "Films é\t\\",
        "sonar.odd key=x": "y=z",
        "sonar.empty": "",
        "sonar.twice": "2",
        "sonar.last": "",
    }


@pytest.mark.parametrize("value", ["", " a b ", "é€😀", "a=b:c#d!e\\", "one\ntwo\\", "x\\u0041"])
def test_what_is_written_is_read_again(value):
    """Whatever a value holds, it stays one value, in a file of plain ASCII."""
    text = render({"sonar.x": value, "sonar.y": "y"})
    assert text.isascii()
    assert len(text.splitlines()) == 2
    if value == value.strip():
        assert parse(text) == {"sonar.x": value, "sonar.y": "y"}


def test_what_says_which_files_are_what_is_taken():
    """Sources, exclusions, coverage reports and ignored issues are the repository's to say."""
    ours = {
        "sonar.sources": "src, lib",
        "sonar.exclusions": "**/vendor/**",
        "sonar.python.coverage.reportPaths": "coverage/coverage.xml",
        "sonar.javascript.lcov.reportPaths": "coverage/lcov.info",
        "sonar.externalIssuesReportPaths": "issues.json",
        "sonar.coverage.jacoco.xmlReportPaths": "jacoco.xml",
        "sonar.issue.ignore.multicriteria.e1.ruleKey": "python:S100",
        "sonar.java.binaries": "target/classes",
        "sonar.go.file.suffixes": ".go",
    }
    assert admitted(ours) == (ours, [])


@pytest.mark.parametrize(
    "name",
    [
        "sonar.host.url",
        "sonar.token",
        "sonar.login",
        "sonar.password",
        "sonar.projectKey",
        "sonar.projectBaseDir",
        "sonar.organization",
        "sonar.nodejs.executable",
        "sonar.scanner.javaOpts",
        "sonar.scanner.javaExePath",
        "sonar.scanner.proxyHost",
        "sonar.scanner.apiBaseUrl",
        "sonar.scanner.metadataFilePath",
        "sonar.modules",
        "module1.sonar.projectBaseDir",
        "sonar.working.directory",
        "sonar.scm.provider",
        "sonar.plugins.downloadOnlyRequired",
        "sonar.branch.name",
        "sonar.pullrequest.key",
        "sonar.qualitygate.wait",
        "sonar.analysis.mode",
        "sonar.cfamily.build-wrapper-output",
        "sonar.log.level",
        "project.settings",
        "sonar.unheard.of",
    ],
)
def test_everything_else_is_left_out(name):
    """Where the token goes, which programs run, what is analysed: not the repository's to say."""
    assert admitted({name: "x", "sonar.sources": "src"}) == ({"sonar.sources": "src"}, [name])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sonar.projectName", "${env.SONAR_TOKEN}"),
        ("sonar.projectDescription", "it is ${sonar.token}"),
        ("sonar.sources", "src,/proc/self"),
        ("sonar.sources", "src/../../proc/self"),
        ("sonar.tests", " ../x"),
        ("sonar.sources", "..\\\\x"),
        ("sonar.sources", "C:/x"),
        ("sonar.sources", '"/etc"'),
        ("sonar.python.coverage.reportPaths", "/proc/self/environ"),
        ("sonar.java.libraries", "file:///etc"),
    ],
)
def test_what_reaches_for_more_is_refused(name, value):
    """A variable that would be filled in, and a path that leaves the repository, fail the run."""
    with pytest.raises(UserError, match=name):
        admitted({name: value})


def test_a_name_in_disguise_is_the_same_name():
    """Escapes in names hide nothing: they are read before they are judged."""
    disguised = parse(
        "sonar.ho\\u0073t.url=http://evil\nsonar.projectName=\\u0024{env.SONAR_TOKEN}"
    )
    assert "sonar.host.url" in disguised
    with pytest.raises(UserError, match="projectName"):
        admitted(disguised)
