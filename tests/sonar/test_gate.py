"""The gate's verdict in words, and what is wrong when there is none, over real HTTP."""

from collections.abc import Iterator

import pytest

from local.ports import free_port
from tests.stand_ins.sonar import Analysis, SonarQube
from tests.stand_ins.sonar.server import FAILED, TOKEN
from workers.ledger.model.errors import OurError, PassingError, UserError
from workers.sonar.client import Condition, Sonar
from workers.sonar.failure import error_in, fault
from workers.sonar.gate import verdict, words

PAGE = "http://sonar/dashboard?id=films"


@pytest.fixture(scope="module")
def server() -> Iterator[SonarQube]:
    """A SonarQube that decides when it is told to."""
    with SonarQube() as server:
        server.delay = None
        yield server


@pytest.fixture
def client(server: SonarQube) -> Sonar:
    """A client with the right token."""
    return Sonar(server.url + "/", TOKEN)


@pytest.fixture
def analysis(server: SonarQube) -> Analysis:
    """An analysis that is handed in."""
    one = Analysis(f"task-{len(server.analyses)}", {"properties": {}, "files": {}})
    server.analyses.append(one)
    return one


def test_an_open_task_has_no_verdict(client, analysis):
    """Pending and in progress mean: ask again."""
    for status in ("PENDING", "IN_PROGRESS"):
        analysis.status = status
        assert verdict(client, analysis.task, PAGE) is None


def test_a_gate_is_passed(server, client, analysis):
    """The verdict says so, and how many conditions there were."""
    server.decide(analysis)
    assert verdict(client, analysis.task, PAGE) == "quality gate passed, 1 condition"


def test_a_gate_that_fails_says_why(server, client, analysis):
    """Each failed condition is named with what it is and what it should be; the others are not."""
    server.decide(analysis, FAILED)
    with pytest.raises(UserError) as error:
        verdict(client, analysis.task, PAGE)
    assert str(error.value) == (
        "SonarQube's quality gate failed: coverage on new code is 61.2, wanted at least 80; "
        f"reliability rating on new code is C, wanted at most A ({PAGE})"
    )


def test_it_is_the_gate_of_our_analysis(server, client, analysis):
    """What was analysed before or since in the same project changes nothing."""
    server.decide(analysis, FAILED)
    other = Analysis("task-of-others", {"properties": {}, "files": {}})
    server.analyses.append(other)
    server.decide(other)
    with pytest.raises(UserError):
        verdict(client, analysis.task, PAGE)
    assert verdict(client, other.task, PAGE)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "FAILED", "error": "no room on the disk"}, "no room on the disk"),
        ({"status": "CANCELED"}, "canceled"),
        ({"gate": {"status": "NONE"}}, "no quality gate"),
    ],
)
def test_no_verdict_is_the_operators_turn(server, client, analysis, changes, said):
    """An analysis that the server can't process, or that has no gate, is no fault of the code."""
    server.decide(analysis, **changes)
    with pytest.raises(OurError, match=said):
        verdict(client, analysis.task, PAGE)


def test_an_old_servers_warning_passes_and_is_said(server, client, analysis):
    """WARN lets it go on, with the condition in the summary."""
    warned = {**FAILED["conditions"][0], "status": "WARN"}
    server.decide(analysis, {"status": "WARN", "conditions": [warned]})
    found = verdict(client, analysis.task, PAGE)
    assert "passed, 1 condition; warnings: coverage on new code is 61.2" in found


def test_odd_conditions_have_words_too():
    """A value that is not there, and a comparator that is not known, are said as they are."""
    one = Condition(status="ERROR", metric="duplicated_lines", comparator="EQ", threshold="3")
    assert words(one) == "duplicated lines is not measured, wanted 3"


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"drop_connection": True}])
def test_a_server_in_trouble_is_asked_again(server, client, fault):
    """Overload, restart and a broken connection are passing faults."""
    ordered = server.fail_next("authentication", **fault)
    with pytest.raises(PassingError, match="SonarQube"):
        client.authenticate()
    assert ordered.struck == 1
    client.authenticate()


def test_nobody_there_is_a_passing_fault():
    """So is a port where nothing listens."""
    with pytest.raises(PassingError, match="not reachable"):
        Sonar(f"http://127.0.0.1:{free_port()}", TOKEN).authenticate()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": 302}, "sends elsewhere"),
        ({"status": 403}, "SONAR_TOKEN"),
        ({"status": 200, "body": b"<html>"}, "no SonarQube"),
        ({"status": 200, "body": {"valid": "perhaps"}}, "no SonarQube"),
        ({"status": 400, "body": {"errors": [{"msg": "bad words"}]}}, "bad words"),
        ({"status": 404, "body": [1]}, "does not say why"),
    ],
)
def test_what_is_no_sonarqube_is_the_operators_turn(server, client, fault, said):
    """A redirect is not followed, and an answer that makes no sense is not tried again."""
    ordered = server.fail_next("authentication", **fault)
    with pytest.raises(OurError, match=said):
        client.authenticate()
    assert ordered.struck == 1


def test_a_wrong_token_is_named_and_not_shown(server):
    """The operator hears that the token is refused; the token itself is not said."""
    with pytest.raises(OurError, match="refuses the token") as error:
        Sonar(server.url, "hunter2").authenticate()
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("12:00:01.123 ERROR Project not found.", "Project not found."),
        ("ERROR: Not authorized.", "Not authorized."),
        ("12:00:01.123 [main] ERROR Broken", "Broken"),
        (
            "java.lang.IllegalStateException: Call to URL [x] failed: no",
            "Call to URL [x] failed: no",
        ),
        ("Caused by: java.net.ConnectException: Connection refused", "Connection refused"),
        ("12:00:01.123 ERROR ", None),
        ("12:00:01.123 ERROR Error during SonarScanner CLI execution", None),
        ("ERROR: Re-run SonarScanner using the -X switch to enable full debug logging.", None),
        ("12:00:01.123 INFO  ERROR is only a word here", None),
        ("\tat org.sonar.Main.main(Main.java:1)", None),
    ],
)
def test_the_scanners_errors_are_found(line, said):
    """Old and new formats, and exceptions with their causes; phrases that say nothing are not."""
    assert error_in(line) == said


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("Not authorized. Please check the user token in the property 'sonar.token'", OurError),
        ("You're not authorized to analyze this project or it doesn't exist", OurError),
        (
            "Failed to query server version: GET http://s failed with HTTP 401 Unauthorized",
            OurError,
        ),
        ("Project not found. Please check the 'sonar.projectKey'", OurError),
        ("PKIX path building failed: unable to find valid certification path", OurError),
        ("java.lang.OutOfMemoryError: Java heap space", OurError),
        ("Developer Edition or above is required to use sonar.branch.name", OurError),
        ("SonarQube server [http://s] can not be reached", PassingError),
        ("Call to URL [http://s/api] failed: Connection refused", PassingError),
        ("Failed to query JRE metadata: GET http://s failed with HTTP 502", PassingError),
        ("The folder 'lib' does not exist for 'films' (base directory = /slipway)", UserError),
        ("Unable to parse file: src/index.py", UserError),
    ],
)
def test_a_scanners_failure_has_its_turn(error, kind):
    """Token and project are the operator's, a server out of reach nobody's, sources the code's."""
    found = fault(1, [error])
    assert type(found) is kind
    assert error in str(found)
    assert "exit code 1" in str(found)


def test_a_scanner_that_says_nothing_is_the_operators_turn():
    """Without a word about the code, the code is not blamed."""
    assert type(fault(137, [])) is OurError
