"""The Azure CLI as it answers and refuses: a stand-in on PATH that says what `az` says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.preflight.arm import AskError
from infra.preflight.az import Account, AzureCli
from infra.preflight.data import Blob, Image

# As the CLI prints it for a 404 and a 403 of Resource Manager.
NOT_FOUND = 'ERROR: Not Found({"error":{"code":"ResourceGroupNotFound","message":"Resource group \'rg\' …"}})'
FORBIDDEN = 'ERROR: Forbidden({"error":{"code":"AuthorizationFailed","message":"The client …"}})'
SIGNED_OUT = "ERROR: Please run 'az login' to setup account."
ACCOUNT = {
    "id": "0001",
    "name": "Agents",
    "state": "Enabled",
    "tenantId": "0002",
    "user": {"name": "0003", "type": "servicePrincipal"},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH beside the shell's."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def az(folder: Path, *lines: str) -> None:
    """Put an `az` there; it notes down what it is called with."""
    script = folder / "az"
    script.write_text("\n".join(["#!/bin/sh", f'echo "$@" >>{folder}/called', *lines]) + "\n")
    script.chmod(0o755)


def says(folder: Path, text: str) -> str:
    """A line that prints `text` as it stands."""
    path = folder / "answer"
    path.write_text(text)
    return f"cat {path}"


def test_a_get_is_a_get(folder: Path) -> None:
    az(folder, says(folder, '{"value": []}'))
    assert AzureCli(30).get("/subscriptions?api-version=1") == {"value": []}
    assert (folder / "called").read_text() == (
        "rest --method get --url /subscriptions?api-version=1 --only-show-errors --output json\n"
    )


def test_who_is_signed_in(folder: Path) -> None:
    az(folder, says(folder, json.dumps(ACCOUNT)))
    assert AzureCli(30).account(None) == Account("0001", "Agents", "0002", "0003", True)
    AzureCli(30).account("0009")
    first, second = (folder / "called").read_text().splitlines()
    assert first.startswith("account show --only-show-errors")
    assert second.startswith("account show --subscription 0009 ")


def test_copies_are_listed(folder: Path) -> None:
    blob = {"name": "kv/pager/1", "written": "2026-11-28T09:59:30+00:00"}
    az(folder, says(folder, json.dumps([blob])))
    at = datetime(2026, 11, 28, 9, 59, 30, tzinfo=UTC)
    assert AzureCli(30).blobs("st", "secrets", "kv/") == [Blob("kv/pager/1", at)]
    called = (folder / "called").read_text()
    assert called.startswith("storage blob list --account-name st --container-name secrets --prefix kv/ ")
    assert "--auth-mode login --num-results * " in called


def test_images_are_listed(folder: Path) -> None:
    """The registry's times have seven digits after the second, and untagged manifests no tags."""
    time = "2026-11-28T09:59:30.1234567Z"
    told = [{"digest": "sha256:1", "tags": ["1.0.0"], "lastUpdateTime": time, "createdTime": time}]
    told.append({"digest": "sha256:2", "lastUpdateTime": time, "createdTime": time})
    az(folder, says(folder, json.dumps(told)))
    at = datetime(2026, 11, 28, 9, 59, 30, 123456, tzinfo=UTC)
    assert AzureCli(30).images("acr", "agents-api-devops") == [
        Image("sha256:1", ["1.0.0"], at),
        Image("sha256:2", (), at),
    ]
    az(folder, says(folder, '["agents-api-devops"]'))
    assert AzureCli(30).repositories("acr") == {"agents-api-devops"}


@pytest.mark.parametrize(
    ("said", "status", "code", "message"),
    [
        (NOT_FOUND, 404, "ResourceGroupNotFound", "Resource group"),
        (FORBIDDEN, 403, "AuthorizationFailed", "The client"),
        ('ERROR: Bad Gateway({"other": 1})', 502, "", "other"),
        (SIGNED_OUT, None, "", "Please run 'az login'"),
        ("", None, "", "said nothing"),
    ],
)
def test_refusals_are_read(folder: Path, said: str, status: int | None, code: str, message: str) -> None:
    az(folder, f"{says(folder, said)} >&2", "exit 1")
    with pytest.raises(AskError, match=message) as refused:
        AzureCli(30).get("/x")
    assert (refused.value.status, refused.value.code) == (status, code)


def test_what_is_no_json_is_no_answer(folder: Path) -> None:
    az(folder, "echo hello")
    with pytest.raises(AskError, match="no JSON"):
        AzureCli(30).get("/x")


def test_without_the_cli(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(AskError, match="install the Azure CLI"):
        AzureCli(30).get("/x")


def test_it_gives_up_when_the_time_is_over(folder: Path) -> None:
    az(folder, "exec sleep 60")
    cli = AzureCli(0.2)
    with pytest.raises(AskError, match="no answer within"):
        cli.get("/x")
    # For all questions together, not for each.
    az(folder, says(folder, "{}"))
    with pytest.raises(AskError, match="no answer within"):
        cli.get("/x")
