"""What the suite says of a restored environment is read as it is meant."""

from __future__ import annotations

from drills.afterwards import read_suite
from drills.shell import Done


def done(code: int, out: str) -> Done:
    return Done(code, out, "", 1.0)


def test_tests_that_pass() -> None:
    found = read_suite("least privilege", done(0, "....\n65 passed in 40.1s\n"))
    assert (found.looked_at, found.problems, found.left_out) == ("65 tests", [], None)


def test_a_role_that_is_missing() -> None:
    out = (
        "FAILED tests/live/test_least_privilege.py::test_x - the matrix differs\n1 failed, 64 passed in 40s\n"
    )
    assert read_suite("least privilege", done(1, out)).problems == [
        "tests/live/test_least_privilege.py::test_x - the matrix differs"
    ]


def test_tests_that_could_not_be_run() -> None:
    assert read_suite("x", done(4, "ERROR: file or directory not found\n")).problems
    assert read_suite("x", done(0, "no tests ran in 0.1s\n")).problems
    assert read_suite("x", done(2, "10 passed, interrupted\n")).problems


def test_tests_that_leave_themselves_out() -> None:
    out = "SKIPPED [1] tests/live/test_conformance.py:106: there are no bicep types\n2 skipped in 1.0s\n"
    found = read_suite("conformance", done(0, out))
    assert (found.problems, found.left_out) == ([], "there are no bicep types")
