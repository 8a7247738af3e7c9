"""JUnit's XML, as tools write it and as nobody should."""

import time

import pytest

from config.masker import Masker
from workers.stages.test import junit
from workers.stages.test.junit import MalformedError

PYTEST = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4">
<testcase classname="tests.test_a" name="test_good" time="0.1" />
<testcase classname="tests.test_a" name="test_bad"><failure message="no">trace</failure></testcase>
<testcase classname="tests.test_a" name="test_set_up"><error message="no"/></testcase>
<testcase classname="tests.test_a" name="test_later"><skipped type="pytest.skip"/></testcase>
</testsuite></testsuites>"""
BOMB = b"""<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<testsuites><testsuite><testcase name="&b;"/></testsuite></testsuites>"""


def test_a_file_is_summed_up():
    """Passed, failed with errors among them, skipped; those that failed are named."""
    found = junit.summarise([PYTEST])
    assert (found.passed, found.failed, found.skipped) == (1, 2, 1)
    assert found.failing == ("tests.test_a.test_bad", "tests.test_a.test_set_up")


def test_several_files_are_one_sum():
    """A folder of files, as Surefire writes it, counts as one."""
    alone = b'<testsuite><testcase name="x"/></testsuite>'
    found = junit.summarise([PYTEST, alone, PYTEST])
    assert (found.passed, found.failed, found.skipped, len(found.failing)) == (3, 4, 2, 4)


def test_a_test_counts_once():
    """Several failures in one test are one failed test, also when it was skipped then."""
    text = b'<testsuite><testcase name="a"><failure/><error/><skipped/></testcase></testsuite>'
    found = junit.summarise([text])
    assert (found.passed, found.failed, found.skipped) == (0, 1, 0)


def test_names_are_one_line_and_bounded():
    """What a test's name holds can't break a line or fill a page; fifty are named."""
    case = b'<testcase name="a&#10;%s"><failure/></testcase>' % (b"x" * 9000)
    found = junit.summarise([b"<testsuite>%s</testsuite>" % (case * 60)])
    assert found.failed == 60
    assert len(found.failing) == junit.MOST_NAMES
    assert max(map(len, found.failing)) < 210
    assert found.failing[0].startswith("a xxx")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no element found"),
        (b"<testsuites><testsuite>", "no element found"),
        (b"not xml", "syntax error"),
        (b"<html><testcase/></html>", "begins with <html>"),
        (b'<?xml version="1.0" encoding="klingon"?><testsuites/>', "encoding"),
        (BOMB, "document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><testsuites/>', "document type"),
        (b"<testsuites>" + b" " * junit.MOST_BYTES, "more than 10 MB"),
    ],
)
def test_what_is_malformed_says_why(data: bytes, why: str):
    """What is no JUnit, or could blow up, is refused with the reason."""
    with pytest.raises(MalformedError, match=why):
        junit.summarise([data])


def test_deep_and_wide_files_take_little():
    """A hundred thousand levels are read without recursion, and soon."""
    start = time.monotonic()
    deep = b"<testsuites>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</testsuites>"
    assert junit.summarise([deep]).passed == 0
    assert time.monotonic() - start < 10


def test_a_secret_in_a_name_is_masked_before_the_name_is_cut():
    """The limit of a name leaves no half of a secret."""
    case = b'<testcase name="%s-hunter22"><failure/></testcase>' % (b"x" * 194)
    found = junit.summarise([b"<testsuite>%s</testsuite>" % case], Masker(["hunter22"]).mask)
    assert found.failing[0].endswith("x-***")
