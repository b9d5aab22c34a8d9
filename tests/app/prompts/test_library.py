"""Versions side by side: the file in use, pins, and trials that are the same for one correlation id."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.prompts.library import Library, Trial, UnknownPromptError, read
from app.prompts.prompt import PromptError
from tests.app.conftest import PROMPTS

GOOD = (PROMPTS / "compose.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Version 2.0.0 in use, 1.0.0 and 3.0.0 beside it."""
    (tmp_path / "compose.md").write_text(GOOD)
    for version in ("1.0.0", "3.0.0"):
        (tmp_path / f"compose.{version}.md").write_text(GOOD.replace("version: 2.0.0", f"version: {version}"))
    return tmp_path


def _version(library: Library, correlation_id: str = "a") -> str:
    return library.choose("compose", correlation_id).meta.version


def test_another_version_beside_the_one_in_use_changes_nothing(folder: Path) -> None:
    library = read(folder, {}, {})
    assert {_version(library, str(number)) for number in range(100)} == {"2.0.0"}


def test_a_pin_says_which_version_is_served(folder: Path) -> None:
    assert _version(read(folder, {"compose": "1.0.0"}, {})) == "1.0.0"


def test_a_pin_needs_no_file_in_use(folder: Path) -> None:
    (folder / "compose.md").unlink()
    assert _version(read(folder, {"compose": "3.0.0"}, {})) == "3.0.0"
    with pytest.raises(PromptError, match=r"no compose\.md.*pin one of 1\.0\.0, 3\.0\.0"):
        read(folder, {}, {})


def test_a_trial_gets_its_share_and_each_correlation_id_always_the_same(folder: Path) -> None:
    one, other = (read(folder, {}, {"compose": Trial(version="3.0.0", share=0.25)}) for _ in range(2))
    drawn = [_version(one, f"incident-{number}") for number in range(2000)]
    assert drawn == [_version(other, f"incident-{number}") for number in range(2000)]
    assert set(drawn) == {"2.0.0", "3.0.0"}
    # Four standard deviations of a binomial distribution are 77.
    assert 423 < drawn.count("3.0.0") < 577


@pytest.mark.parametrize(
    ("pins", "trials", "reason"),
    [
        ({"compose": "9.0.0"}, {}, r"9\.0\.0 is pinned, but there is 1\.0\.0, 2\.0\.0, 3\.0\.0"),
        ({"shout": "1.0.0"}, {}, "shout is pinned or on trial"),
        ({}, {"compose": Trial(version="9.0.0", share=1)}, r"9\.0\.0 is on trial"),
        ({}, {"shout": Trial(version="1.0.0", share=1)}, "shout is pinned or on trial"),
    ],
)
def test_a_pin_or_trial_of_what_is_not_there_is_refused(
    folder: Path, pins: dict[str, str], trials: dict[str, Trial], reason: str
) -> None:
    with pytest.raises(PromptError, match=reason):
        read(folder, pins, trials)


def test_a_trial_must_take_what_the_served_version_takes(folder: Path) -> None:
    file = folder / "compose.3.0.0.md"
    file.write_text(file.read_text().replace("[email, sms, teams, slack]", "[email, sms, teams]", 1))
    file.write_text(file.read_text().replace("channel: slack", "channel: teams"))
    with pytest.raises(PromptError, match=r"3\.0\.0 is on trial, but refuses an example.*channel"):
        read(folder, {}, {"compose": Trial(version="3.0.0", share=0.5)})


def test_a_version_twice_is_refused(folder: Path) -> None:
    (folder / "compose.2.0.0.md").write_text(GOOD)
    with pytest.raises(PromptError, match=r"2\.0\.0 is there twice"):
        read(folder, {}, {})


def test_an_unknown_prompt_says_what_there_is(folder: Path) -> None:
    with pytest.raises(UnknownPromptError, match="there is compose"):
        read(folder, {}, {}).choose("shout", "a")
