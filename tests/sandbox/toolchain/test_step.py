"""What is on PATH is used if it is suitable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.step import numbers, on_path, probe, require_version, suitable

Make = Callable[..., Path]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("v3.259.0\n", (3, 259, 0)),
        ("Client Version: v1.32.4-dispatcher", (1, 32, 4)),
        ("etcd Version: 3.6\nGit SHA: 5", (3, 6, 0)),
        ("no version", None),
    ],
)
def test_versions_are_found_in_what_programs_say(text: str, expected: tuple[int, int, int] | None) -> None:
    assert numbers(text) == expected


@pytest.mark.parametrize(
    ("found", "fits"),
    [
        ((3, 259, 0), True),
        ((3, 259, 9), True),
        ((3, 260, 0), True),
        ((3, 258, 9), False),
        ((4, 300, 0), False),
        ((2, 300, 0), False),
        (None, False),
    ],
)
def test_the_same_minor_version_or_a_newer_one_is_suitable(
    found: tuple[int, int, int] | None, fits: bool
) -> None:
    assert suitable(found, "3.259.0") is fits


def test_a_program_that_fails_or_is_missing_has_no_version(program: Make, tmp_path: Path) -> None:
    assert probe(program("good", "tool 1.2.3"), ["--version"]) == (1, 2, 3)
    assert probe(program("bad", "tool 1.2.3", code=1), ["--version"]) is None
    assert probe(tmp_path / "absent", ["--version"]) is None


def test_a_probed_program_does_not_see_the_users_home(tmp_path: Path) -> None:
    path = tmp_path / "nosy"
    path.write_text('#!/bin/sh\ntouch "$HOME/.left" && echo "1.0.0 $HOME"\n')
    path.chmod(0o755)
    assert probe(path, []) == (1, 0, 0)
    assert not (Path.home() / ".left").exists()


def test_an_unsuitable_version_is_refused_with_both_versions(program: Make) -> None:
    with pytest.raises(ToolchainError, match=r"is version 1\.2\.3, not 2\.0\.0"):
        require_version(program("tool", "1.2.3"), [], "2.0.0")
    with pytest.raises(ToolchainError, match="does not run"):
        require_version(program("tool", code=1), [], "2.0.0")


def test_the_cache_and_the_virtualenv_are_not_searched(
    program: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = program("tool", folder="cache")
    theirs = program("tool", folder="usr")
    monkeypatch.setenv("PATH", f"{ours.parent}:{theirs.parent}:/bin")
    assert on_path("tool", ours.parent) == theirs
    monkeypatch.setenv("PATH", f"{ours.parent}:/bin")
    assert on_path("tool", ours.parent) is None
