"""Copies of the Pulumi state: made when something changed, found by their time, refused when damaged."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from azure.core.exceptions import ClientAuthenticationError, ResourceExistsError
from hypothesis import given
from hypothesis import strategies as st

from infra.recovery import state
from infra.recovery.state_copies import StateCopies, StateCopy, StateError

NOW = datetime(2026, 11, 28, 9, 59, 30, tzinfo=UTC)


def _state(number: int) -> bytes:
    resources = [{"urn": f"urn:pulumi:prod::agents::x::{number}"}]
    return json.dumps({"version": 3, "deployment": {"resources": resources}}).encode()


class Container:
    """Blobs in memory."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def list_blob_names(self, *, name_starts_with: str) -> list[str]:
        return [name for name in self.blobs if name.startswith(name_starts_with)]

    def upload_blob(self, name: str, data: bytes, *, overwrite: bool) -> None:
        if name in self.blobs and not overwrite:
            raise ResourceExistsError(name)
        self.blobs[name] = data

    def download_blob(self, blob: str) -> Any:
        return SimpleNamespace(readall=lambda: self.blobs[blob])


def test_only_a_change_makes_a_copy() -> None:
    container = Container()
    copies = StateCopies(container)
    first, made = copies.save("prod", _state(1), NOW)
    assert made
    assert copies.save("prod", _state(1), NOW + timedelta(hours=1)) == (first, False)
    assert copies.save("prod", _state(2), NOW + timedelta(hours=2))[1]
    # Back to what it was: the newest copy has to be of what is.
    assert copies.save("prod", _state(1), NOW + timedelta(hours=3))[1]
    assert len(container.blobs) == 3
    assert copies.fetch("prod") == _state(1)


def test_two_changes_within_a_second_keep_their_order() -> None:
    for numbers in ((1, 2), (2, 1)):
        copies = StateCopies(Container())
        for number in numbers:
            copies.save("prod", _state(number), NOW)
        assert copies.fetch("prod") == _state(numbers[-1])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.integers(-1, 9))
def test_what_is_fetched_is_what_was_saved_last_until_then(saved: list[int], at: int) -> None:
    copies = StateCopies(Container())
    for hour, number in enumerate(saved):
        copies.save("prod", _state(number), NOW + timedelta(hours=hour))
    if at < 0:
        with pytest.raises(StateError, match="the first is of 20261128T095930Z"):
            copies.fetch("prod", NOW + timedelta(hours=at))
    else:
        assert copies.fetch("prod", NOW + timedelta(hours=at)) == _state(saved[: at + 1][-1])


def test_stacks_with_like_names_are_kept_apart() -> None:
    copies = StateCopies(Container())
    copies.save("prod", _state(1), NOW)
    copies.save("prod-backup", _state(2), NOW)
    assert copies.fetch("prod") == _state(1)
    assert [copy.stack for copy in copies.list("prod")] == ["prod"]


def test_a_damaged_copy_is_not_handed_out() -> None:
    container = Container()
    copy, _ = StateCopies(container).save("prod", _state(1), NOW)
    container.blobs[copy.blob] = _state(2)
    with pytest.raises(StateError, match="damaged"):
        StateCopies(container).fetch("prod")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"error: no stack", "pulumi stack export"),
        (b"[]", "pulumi stack export"),
        (b'{"deployment": {"resources": []}}', "is empty"),
    ],
    ids=["text", "list", "empty"],
)
def test_what_is_no_state_is_not_saved(content: bytes, why: str) -> None:
    container = Container()
    with pytest.raises(StateError, match=why):
        StateCopies(container).save("prod", content, NOW)
    assert not container.blobs


def test_names_are_read_as_they_are_written() -> None:
    copy = StateCopy("prod", NOW, "0" * 64)
    assert StateCopy.parse(copy.blob) == copy
    assert copy.blob == f"prod/20261128T095930Z-{'0' * 64}.json"
    assert StateCopy.parse("prod/readme.md") is None


@pytest.mark.parametrize("stack", ["prod", "prod-backup"])
def test_the_account_is_found_without_any_state(stack: str) -> None:
    client = state.copies_of(stack, "core.windows.net")
    assert client.url == "https://stagentsprodbackup.blob.core.windows.net/pulumi-state"


@pytest.mark.parametrize("stack", ["prod", "prod-backup", "prod-dr"])
def test_the_accounts_suffix_is_the_environments(stack: str, tmp_path: Path) -> None:
    """Names are unique in the world: without the suffix, it is somebody else's account, or none."""
    for name, values in {
        "prod": {"agents:suffix": "abc"},
        "prod-backup": {"agents:role": "backup", "agents:source": "prod"},
        "prod-dr": {"agents:role": "recovery", "agents:source": "prod"},
    }.items():
        (tmp_path / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": values}))
    client = state.copies_of(stack, "core.windows.net", tmp_path)
    assert client.url == "https://stagentsprodbackupabc.blob.core.windows.net/pulumi-state"


def test_save_list_and_fetch_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    container = Container()
    monkeypatch.delenv("ARM_METADATA_HOSTNAME", raising=False)
    monkeypatch.setattr(state, "copies_of", lambda *_: container)
    monkeypatch.setattr(state, "export", lambda _: _state(1))
    assert state.main(["save", "--stack", "prod"]) == 0
    assert state.main(["list", "--stack", "prod"]) == 0
    [blob] = container.blobs
    assert capsysbinary.readouterr().out == f"saved: {blob}\n{blob}\n".encode()
    assert state.main(["fetch", "--stack", "prod", "--at", "2999-01-01T00:00:00Z"]) == 0
    assert capsysbinary.readouterr().out == _state(1)
    assert state.main(["fetch", "--stack", "dev"]) == 1
    assert b"no copy of the state of dev" in capsysbinary.readouterr().err


def test_what_goes_wrong_is_said_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(_: str) -> bytes:
        raise ClientAuthenticationError("Please run 'az login'\nand so on")

    monkeypatch.delenv("ARM_METADATA_HOSTNAME", raising=False)
    monkeypatch.setattr(state, "copies_of", lambda *_: Container())
    monkeypatch.setattr(state, "export", refused)
    assert state.main(["save", "--stack", "prod"]) == 1
    assert capsys.readouterr().err == "state: Please run 'az login'\n"
    assert state.main(["list", "--stack", "prod"]) == 0


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-28T09:59:30", "no time zone"),
        ("yesterday", "'yesterday' is no time like 2026-11-28T09:59:30Z"),
    ],
)
def test_a_moment_is_a_time_with_its_zone(capsys: pytest.CaptureFixture[str], at: str, said: str) -> None:
    with pytest.raises(SystemExit):
        state.main(["fetch", "--stack", "prod", "--at", at])
    assert said in capsys.readouterr().err
