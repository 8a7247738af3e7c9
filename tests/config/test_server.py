"""The operator's file: what is allowed, found and refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from config import server
from config.values import seconds

EXAMPLE = Path(__file__).parents[2] / "config" / "server.example.toml"
DESIGN = """\
[environments.sandbox]
branch = "develop"

[environments.production]
branch = "master"                 # or a list
alias = "production"              # default: the environment's name
approval = { required = 1, timeout = "2h", approvers = ["octocat"] }
strategy = "all-at-once"          # canary-10-percent-5-minutes, linear-10-percent-every-1-minute, …
email = ["team@example.com"]
aws = { region = "eu-west-3", role_arn = "arn:aws:iam::123456789012:role/deploy" }

[[repositories]]
name = "watchlist/movies-store"   # or a glob
functions = ["MoviesStore*"]      # what it may touch
bucket = "deployment-packages-watchlist"
sites = ["marketplace.example.com"]
rest_api = "a1b2c3"               # API Gateway whose stages follow the environments
"""
REPOSITORY = '[[repositories]]\nname = "o/r"\n'


def refused(text):
    """What is said of a file, without the file's name."""
    with pytest.raises(server.ConfigError) as caught:
        server.parse(text, "s")
    return [f"{problem.line}: {problem.message}" for problem in caught.value.problems]


def environment(line):
    """A file whose third line is the given one."""
    return f'[environments.sandbox]\nbranch = "develop"\n{line}\n{REPOSITORY}'


def test_the_designs_example_is_read():
    """Every key of the contract arrives as a value of its own type."""
    operator = server.parse(DESIGN)
    production = operator.environments["production"]
    assert (production.name, production.alias) == ("production", "production")
    assert production.branch == ("master",)
    assert production.approval.timeout == 7200
    assert production.approval.approvers == ("octocat",)
    assert production.approval.self_approval is True
    assert production.aws.region == "eu-west-3"
    assert operator.environments["sandbox"].alias == "sandbox"
    assert operator.environments["sandbox"].drift == "report"
    assert operator.repositories[0].rest_api == "a1b2c3"


def test_the_shipped_example_is_valid_with_and_without_its_options():
    """The example file is valid as it is, and with every optional line switched on."""
    assert set(server.load(EXAMPLE).environments) == {"sandbox", "staging", "production"}
    lines = EXAMPLE.read_text().splitlines()
    on = [
        line.removeprefix("# ") if " = " in line and line.startswith("# ") else line
        for line in lines
    ]
    assert on != lines
    operator = server.parse("\n".join(on))
    assert operator.git_hosts == ("git.example.com",)
    assert operator.environments["production"].drift == "repair"


def test_the_file_cannot_be_changed_once_read():
    """Neither a field nor a mapping can be replaced."""
    operator = server.parse(DESIGN)
    with pytest.raises(ValidationError):
        operator.git_hosts = ("evil.example.com",)
    with pytest.raises(TypeError):
        operator.environments["x"] = operator.environments["sandbox"]


def test_a_branch_finds_its_environment_exactly():
    """Branches are compared as they are: no pattern, no case folding."""
    text = '[environments.live]\nbranch = ["master", "main"]\nalias = "LIVE-1"\n' + REPOSITORY
    operator = server.parse(text)
    assert operator.environment_for("main").name == "live"
    assert operator.environment_for("main").alias == "LIVE-1"
    assert operator.environment_for("Main") is None
    assert operator.environment_for("mai*") is None


def test_an_exact_repository_goes_before_a_pattern():
    """The order of the tables matters only between patterns; case never does."""
    text = '[environments.a]\nbranch = "a"\n' + "".join(
        f'[[repositories]]\nname = "{name}"\n'
        for name in ("watch/*", "watch/m?vies", "Watch/Store")
    )
    operator = server.parse(text)
    assert operator.repository("WATCH/store").name == "Watch/Store"
    assert operator.repository("watch/movies").name == "watch/*"
    assert operator.repository("other/store") is None


@pytest.mark.parametrize("name", ["a/b/c", "a", "x/a", "a/", "/b", "a/b\n"])
def test_a_star_stops_at_the_slash(name):
    """A pattern covers only names with its own number of parts."""
    rule = server.Repository(name="a/*-b")
    assert not rule.covers(name)
    assert not server.Repository(name="*/b").covers("a/c/b")


def test_functions_are_matched_by_case():
    """Lambda's names are case-sensitive, and none is allowed unless it is named."""
    rule = server.Repository(name="a/b", functions=("Movies*", "Exact"))
    assert rule.may_touch("MoviesStore")
    assert rule.may_touch("Exact")
    assert not rule.may_touch("moviesStore")
    assert not rule.may_touch("Exactly")
    assert not server.Repository(name="a/b").may_touch("x")


def test_approvers_are_matched_without_case():
    """An empty list lets anybody who may act approve."""
    assert server.Approval(approvers=("OctoCat",)).may_approve("octocat")
    assert not server.Approval(approvers=("OctoCat",)).may_approve("octodog")
    assert server.Approval().may_approve("octodog")


def test_slack_members_are_named_by_their_id():
    """An ID leads to a login; a name in its place is refused with an example."""
    slack = f'[slack]\nusers = {{ U024BE7LH = "octocat" }}\n{environment("")}'
    assert server.parse(slack).slack.users["U024BE7LH"] == "octocat"
    assert server.parse(environment("")).slack.users == {}
    (problem,) = refused(slack.replace("U024BE7LH", "octocat"))
    assert problem.startswith("2: slack.users.octocat: ")
    assert 'a member ID such as "U024BE7LH"' in problem


def test_one_branch_belongs_to_one_environment():
    """The second environment that claims a branch is refused, even beside other problems."""
    text = (
        '[environments.a]\nbranch = ["x", "y"]\nbrnch = 1\n'
        '[environments.b]\nbranch = ["z",\n"y"]\n[environments.c]\nbranch = "x"\n' + REPOSITORY
    )
    assert refused(text) == [
        '3: environments.a.brnch: unknown key; did you mean "branch"?',
        '6: environments.b.branch[1]: "y" belongs to a already; give it to one environment',
        '8: environments.c.branch: "x" belongs to a already; give it to one environment',
    ]


def test_a_repository_is_named_once():
    """GitHub does not tell upper from lower case, so neither do the tables."""
    text = environment("") + '[[repositories]]\nname = "O/R"\n'
    assert refused(text) == ["7: repositories[1].name: named twice; join the two tables"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: environments: missing; add it"),
        ("", "1: repositories: missing; add it"),
        ("environments = {}\nrepositories = []", "1: environments: expected at least one"),
        ("environments = {}\nrepositories = []", "2: repositories: expected at least one"),
        ("environments = 3", "1: environments: expected a table, got a whole number"),
        ("[environments]\na = 3", "2: environments.a: expected a table, got a whole number"),
    ],
)
def test_a_file_without_the_two_parts_is_refused(text, said):
    """At least one environment and one repository are needed."""
    assert any(line.startswith(said) for line in refused(text))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('name = "x"', "environments.sandbox.name: unknown key; the name is the table's"),
        ('brnch = "x"', 'environments.sandbox.brnch: unknown key; did you mean "branch"?'),
        ('alias = "12"', "environments.sandbox.alias: expected at most 128 letters"),
        ('alias = "a b"', "environments.sandbox.alias: expected at most 128 letters"),
        ('bucket = "Upper"', "environments.sandbox.bucket: expected an S3 bucket's name"),
        ('bucket = "192.168.0.1"', "environments.sandbox.bucket: expected an S3 bucket's name"),
        ('bucket = "a..b"', "environments.sandbox.bucket: expected an S3 bucket's name"),
        ('bucket = "ok\\n"', "environments.sandbox.bucket: expected an S3 bucket's name"),
        ('email = "a@b"', "environments.sandbox.email: expected a list, got a string"),
        ('email = ["ab"]', "environments.sandbox.email[0]: expected an email address"),
        ('email = ["a@b\\nBcc: c@d"]', "environments.sandbox.email[0]: expected an email address"),
        ('aws = { region = "Paris" }', "environments.sandbox.aws.region: expected an AWS region"),
        ('aws = { role_arn = "deploy" }', "environments.sandbox.aws.role_arn: expected the ARN"),
        ('drift = "repiar"', "environments.sandbox.drift: expected one of report, repair; did"),
        (
            "approval = { required = 0 }",
            "environments.sandbox.approval.required: expected at least 1",
        ),
        (
            "approval = { required = true }",
            "environments.sandbox.approval.required: expected a whole",
        ),
        (
            "approval = { timeout = 5 }",
            "environments.sandbox.approval.timeout: expected a duration",
        ),
        (
            'approval = { tineout = "5m" }',
            "environments.sandbox.approval.tineout: unknown key; did",
        ),
        (
            'approval = { self_approval = "no" }',
            "environments.sandbox.approval.self_approval: expected",
        ),
        (
            'approval = { required = 2, approvers = ["a", "A"] }',
            "environments.sandbox.approval: 2 approvals are required of 1 approvers",
        ),
    ],
)
def test_a_wrong_value_is_told_where_it_stands(line, said):
    """Each rule of an environment has its own words, on the line of the value."""
    (only,) = refused(environment(line))
    assert only.startswith(f"3: {said}")


def test_an_unknown_strategy_gets_the_whole_list():
    """The message holds every strategy, and the nearest one."""
    (said,) = refused(environment('strategy = "canary-10-percent-5-minute"'))
    assert "linear-10-percent-every-10-minutes" in said
    assert said.endswith('did you mean "canary-10-percent-5-minutes"?')


@pytest.mark.parametrize("branch", ["refs/heads/x", "a b", "rel*", "", "a\\nb"])
def test_a_branch_is_one_exact_name(branch):
    """Patterns, full refs and empty names are refused."""
    (said,) = refused(f'[environments.a]\nbranch = "{branch}"\n{REPOSITORY}')
    assert said.startswith("2: environments.a.branch: expected one exact branch name")


@pytest.mark.parametrize("name", ["123", '"a b"', '""', "a" * 129])
def test_an_environments_name_is_an_aliases_name(name):
    """What Lambda would refuse as an alias is refused as the name that it defaults to."""
    (said,) = refused(f'[environments.{name}]\nbranch = "x"\n{REPOSITORY}')
    assert said.startswith("1: environments.")
    assert "at most 128 letters" in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('functions = ["a b"]', "repositories[0].functions[0]: expected a function's name"),
        ('sites = ["x"]', "repositories[0].sites[0]: expected an S3 bucket's name"),
        ('rest_api = "My API"', "repositories[0].rest_api: expected the id of a REST API"),
        ('function = ["x"]', 'repositories[0].function: unknown key; did you mean "functions"?'),
    ],
)
def test_a_wrong_value_of_a_repository_is_told(line, said):
    """Each rule of a repository has its own words, on the line of the value."""
    (only,) = refused(f'[environments.a]\nbranch = "x"\n{REPOSITORY}{line}\n')
    assert only.startswith(f"5: {said}")


@pytest.mark.parametrize("name", ["repo", "a/b/c", "https://example.com/a/b", "a/", ""])
def test_a_repository_is_owner_and_name(name):
    """Addresses and bare names are refused."""
    (said,) = refused(f'[environments.a]\nbranch = "x"\n[[repositories]]\nname = "{name}"\n')
    assert said.startswith('4: repositories[0].name: expected "owner/name"')


def test_hosts_are_lower_case_and_may_have_a_port():
    """A host is compared in lower case; an address is no host."""
    text = environment("")
    assert server.parse('git_hosts = ["Git.Example.com:8443"]\n' + text).git_hosts == (
        "git.example.com:8443",
    )
    (said,) = refused('git_hosts = ["https://x"]\n' + text)
    assert said == "1: git_hosts[0]: expected a host, or host:port"


@pytest.mark.parametrize(
    ("text", "value"), [("30s", 30), ("5m", 300), ("2h", 7200), ("1h30m", 5400), ("1h1m1s", 3661)]
)
def test_durations_are_seconds(text, value):
    """Hours, minutes and seconds add up."""
    assert seconds(text) == value


@pytest.mark.parametrize(
    "text", ["", "5", "5 m", "m5", "30s5m", "-5m", "1.5h", "0s", "9999h", "5m\n", "٣m", 300, None]
)
def test_what_is_no_duration_is_refused(text):
    """Numbers without a unit, zero, over a year and other writings are refused."""
    with pytest.raises(ValueError, match="expected a duration"):
        seconds(text)


def test_an_absent_file_is_a_clear_error(tmp_path):
    """The operator learns which path could not be read."""
    with pytest.raises(server.ConfigError, match=r"gone.toml:1: can't be read"):
        server.load(tmp_path / "gone.toml")


TWINS = """\
[environments.dev]
branch = "develop"
alias = "live"
{dev}
[environments.prod]
branch = "master"
alias = "{alias}"
{prod}
[[repositories]]
name = "o/r"
{functions}
"""
DEV_ROLE = 'aws = { role_arn = "arn:aws:iam::111111111111:role/deploy" }'
PROD_ROLE = 'aws = { role_arn = "arn:aws:iam::222222222222:role/deploy" }'


def twins(dev="", prod="", alias="live", functions='functions = ["Movies*"]'):
    """Two environments whose functions have the same names."""
    return TWINS.format(dev=dev, prod=prod, alias=alias, functions=functions)


@pytest.mark.parametrize(
    "place", ["", DEV_ROLE, 'aws = { region = "eu-west-3" }', 'aws = { region = "us-east-1" }']
)
def test_two_environments_with_the_same_aliases_are_refused(place):
    """The same role, region and alias are the same places: the second one is told which."""
    (told,) = refused(twins(place, place))
    assert told.startswith('7: environments.prod.alias: "live" is the alias of dev already')
    assert "an alias, a region or a role of its own" in told


def test_an_environment_may_not_be_called_as_anothers_alias():
    """The alias is the environment's name where it is left out."""
    text = twins().replace('alias = "live"\n\n[environments.prod]', "[environments.prod]")
    (told,) = refused(text.replace('alias = "live"', 'alias = "dev"'))
    assert '"dev" is the alias of dev already' in told


@pytest.mark.parametrize(
    "given",
    [
        {"alias": "other"},
        {"dev": DEV_ROLE, "prod": PROD_ROLE},
        {"dev": 'aws = { region = "eu-west-3" }', "prod": 'aws = { region = "us-east-1" }'},
        {"functions": 'sites = ["shop.example.com"]'},
    ],
)
def test_environments_in_different_places_are_not_refused(given):
    """Another alias, account or region is enough; without any function there is no alias."""
    assert set(server.parse(twins(**given)).environments) == {"dev", "prod"}
