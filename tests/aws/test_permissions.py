"""The README's table of permissions is what the code calls: neither can be forgotten."""

import ast
import functools
import json
import re
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.loaders import Loader

from workers.aws.permissions import NEEDS

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
ROOM = ROOT / "workers" / "aws"
SERVICES = ("lambda", "s3", "apigateway", "cloudfront", "cloudwatch", "sts")
BY_BOTOCORE = {"HeadBucket"}
"""Asked by botocore itself."""

BY_NAME = {"get_paginator", "generate_presigned_url"}
"""Methods that take another one's name."""

FEATURES = {
    "code and versions": {"functions", "configuration", "session.identity"},
    "aliases": {"aliases"},
    "smoke tests": {"invoke"},
    "packages": {"artifacts"},
    "logs": {"stored", "artifacts"},
    "old versions": {"functions", "versions"},
    "code storage": {"versions"},
    "sites": {"sites.book", "sites.transfer", "sites.wire"},
    "CloudFront": {"sites.cdn"},
    "API Gateway": {"gateway"},
    "canaries with alarms": {"alarms"},
    "roles": {"session"},
}
"""The modules that call AWS for what each row of the table is for."""

ELSEWHERE = {"functions": {"s3:GetObject", "s3:GetObjectVersion"}}
"""What a module's calls need that another row names: Lambda reads packages as we do."""


@functools.cache
def methods():
    """Every method of boto3's clients of these services, and what IAM and botocore call it."""
    loader = Loader()
    models = [loader.load_service_model(name, "service-2") for name in SERVICES]
    return {xform_name(name): name for model in models for name in model["operations"]}


def calls(text):
    """The calls of AWS in a module's code, by botocore's names."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in BY_NAME and node.args and isinstance(node.args[0], ast.Constant):
            name = node.args[0].value
        elif name == "AssumeRoleCredentialFetcher":
            name = "assume_role"
        elif not isinstance(node.func, ast.Attribute):
            continue
        if name in methods():
            found.add(methods()[name])
    return found


def services(text):
    """The services that a module's code makes clients of."""
    named = (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call) and n.args)
    makes = {"client", "_client", "make"}
    return {
        node.args[0].value
        for node in named
        if getattr(node.func, "attr", getattr(node.func, "id", "")) in makes
        and isinstance(node.args[0], ast.Constant)
    }


def called():
    """The calls of each module of the room, where there are any."""
    found = {
        ".".join(path.relative_to(ROOM).with_suffix("").parts).removesuffix(".__init__"): calls(
            path.read_text()
        )
        for path in sorted(ROOM.rglob("*.py"))
    }
    return {module: names for module, names in found.items() if names}


def needed(names):
    """The actions that calls need."""
    return {action for name in names for action in NEEDS[name]}


def actions(text):
    """The actions in a part of a page."""
    return set(re.findall(r"`([a-z0-9]+:[A-Z]\w+)`", text))


@functools.cache
def table():
    """The actions of each row of the README's table; a row without a name goes on with the last."""
    text = README.read_text().partition("### AWS permissions\n")[2].partition("\n## ")[0]
    found, feature = {}, ""
    for name, cell in re.findall(r"^\| ([^|]*)\| ([^|]*) \|", text, re.MULTILINE):
        feature = next((one for one in FEATURES if one in name), feature)
        if actions(cell):
            found.setdefault(feature, set()).update(actions(cell))
    return found


def policy():
    """The README's policy."""
    found = re.findall(r"^```json\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    (text,) = [one for one in found if '"Statement"' in one]
    return json.loads(text)["Statement"]


def test_calls_are_found_however_they_are_made():
    """A call of a client, a paginator, a signed address and a role; nothing of ours."""
    text = """
aws.s3.put_object(Bucket=bucket)
self._s3.get_paginator("list_objects_v2").paginate()
pages = client.get_paginator(name)
url = aws.s3.generate_presigned_url("get_object", Params={})
fetcher = AssumeRoleCredentialFetcher(create, source, arn)
delete_function(aws)
transfer.copy(key)
"""
    wanted = {"PutObject", "ListObjectsV2", "GetObject", "AssumeRole"}
    assert calls(text) == wanted


def test_every_service_is_looked_at():
    """A client of a new service brings new calls, which must be found as well."""
    found = set().union(*(services(path.read_text()) for path in ROOM.rglob("*.py")))
    assert found == set(SERVICES)


def test_every_call_has_its_actions():
    """What a call needs is known, for whoever reads of its refusal; and nothing else is kept."""
    every = set().union(*called().values())
    assert every == set(NEEDS) - BY_BOTOCORE
    assert len(every) > 20, "the calls were found"


def test_every_module_that_calls_has_its_feature():
    """A new module of the room must say which row of the table it is for."""
    assert set(called()) == set().union(*FEATURES.values())


@pytest.mark.parametrize("feature", FEATURES)
def test_a_row_names_nothing_that_its_modules_do_not_call(feature):
    """Each row's actions are needed for what it is for."""
    names = set().union(*(called()[module] for module in FEATURES[feature]))
    assert table()[feature]
    assert table()[feature] <= needed(names)


@pytest.mark.parametrize("module", called())
def test_what_a_module_calls_is_in_its_rows(module):
    """Whoever allows what the rows of a feature name has allowed all that it needs."""
    rows = [table()[feature] for feature, modules in FEATURES.items() if module in modules]
    # A copy inside one bucket names no version; only packages are copied by theirs.
    spared = {"s3:GetObjectVersion"} if module.startswith("sites.") else set()
    lacking = needed(called()[module]) - ELSEWHERE.get(module, set()) - spared
    assert lacking <= set().union(*rows)


def test_what_another_row_names_is_there():
    """Nothing is excused that the table has nowhere."""
    everywhere = set().union(*table().values())
    assert set().union(*ELSEWHERE.values()) <= everywhere
    assert needed(set().union(*called().values())) == everywhere


def test_the_policy_allows_what_the_text_says_it_does():
    """All of Lambda's actions, what packages, logs and reports need, and nothing else."""
    allowed = {action for statement in policy() for action in statement["Action"]}
    everywhere = set().union(*table().values())
    lambdas = {action for action in everywhere if action.startswith("lambda:")}
    assert allowed == lambdas | table()["packages"] | table()["logs"]


def test_old_versions_can_be_deleted_however_aws_judges_it():
    """By the function's ARN, and by that of its versions: AWS's pages can be read in both ways."""
    (one,) = [one for one in policy() if "lambda:DeleteFunction" in one["Action"]]
    bare, qualified = one["Resource"]
    assert re.fullmatch(r"arn:aws:lambda:[\w-]+:\d{12}:function:\w+", bare)
    assert qualified == f"{bare}:*"
    assert one["Action"] == ["lambda:DeleteFunction"], "whoever narrows it touches nothing else"


@pytest.mark.parametrize(
    ("page", "features"),
    [
        ("sites.md", ("sites", "CloudFront")),
        ("gateway.md", ("API Gateway",)),
        ("gradual.md", ("canaries with alarms",)),
        ("versions.md", ("old versions",)),
    ],
)
def test_a_feature_s_own_page_says_the_same(page, features):
    """The page of a feature names the actions of its rows."""
    text = (ROOT / "docs" / page).read_text().partition("\n## Permissions\n")[2]
    named = actions(text.partition("\n## ")[0])
    assert named == set().union(*(table()[feature] for feature in features))
