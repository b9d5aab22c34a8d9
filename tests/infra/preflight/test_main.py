"""The command: its report and exit codes."""

from __future__ import annotations

from typing import Any

import pytest

from infra.preflight import __main__ as command
from infra.preflight.arm import AskError
from infra.preflight.az import Account, AzureCli
from infra.preflight.report import MISSING, NOT_SEEN, READY, check, code, missing, ok, unknown
from tests.infra.preflight.recorded import OPERATOR, Azure, ready, stack


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Azure:
    """The CLI's session, which dev's subscription answers; a custom cloud's, so that no domain is missing."""
    azure = ready(stack("dev"))

    def get(_: AzureCli, url: str) -> Any:
        return azure.get(url)

    def account(_: AzureCli, subscription: str | None) -> Account:
        assert subscription is None
        return OPERATOR

    monkeypatch.setattr(AzureCli, "get", get)
    monkeypatch.setattr(AzureCli, "account", account)
    monkeypatch.setattr(command, "read_cloud", lambda: type("Cloud", (), {"domain": "azure.test"}))
    return azure


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    result = command.main(arguments or ("--stack", "dev"))
    printed = capsys.readouterr()
    return result, printed.out, printed.err


def test_ready(session: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    result, out, _ = run(capsys)
    assert result == READY, out
    assert out.splitlines()[-1] == "preflight: ready."
    assert {line.split()[0] for line in out.splitlines()[:-1]} == {"ok"}


def test_missing_outweighs_unknown(session: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    session.at("/providers")["value"][0]["registrationState"] = "NotRegistered"
    session.put("/providers/Microsoft.KeyVault/deletedVaults", AskError("you may not", 403))
    result, out, _ = run(capsys)
    assert result == MISSING
    assert "-> az provider register --wait" in out
    assert "unknown  vault's name" in out
    assert f"-> az role assignment create --assignee {OPERATOR.user} --role Reader" in out
    assert out.splitlines()[-1] == "preflight: not ready; 1 missing. Mend and run it again."


def test_what_could_not_be_seen_is_no_readiness(session: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    session.put("/providers/Microsoft.KeyVault/deletedVaults", AskError("no answer within 180 s"))
    result, out, _ = run(capsys)
    assert result == NOT_SEEN
    assert out.splitlines()[-1] == "preflight: no verdict; 1 could not be looked at."


def test_an_answer_of_another_shape_is_not_understood(
    session: Azure, capsys: pytest.CaptureFixture[str]
) -> None:
    session.put("/providers/Microsoft.KeyVault/deletedVaults", {"value": [{"title": "kv"}]})
    result, out, _ = run(capsys)
    assert result == NOT_SEEN
    assert "was not understood: KeyError('name')" in out


def test_nothing_is_looked_at_without_a_session(
    session: Azure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def account(*_: Any) -> Account:
        raise AskError("Please run 'az login' to setup account.")

    monkeypatch.setattr(AzureCli, "account", account)
    result, out, err = run(capsys)
    assert (result, out) == (NOT_SEEN, "")
    assert err == "preflight: could not look; Please run 'az login' to setup account.\n"
    assert session.asked == []


def test_a_stack_that_is_not_there(session: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    result, _, err = run(capsys, "--stack", "nowhere")
    assert result == NOT_SEEN
    assert "there is no Pulumi.nowhere.yaml" in err


def test_the_programs_own_subscription_is_asked_about(
    session: Azure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str | None] = []

    def account(_: AzureCli, subscription: str | None) -> Account:
        asked.append(subscription)
        return OPERATOR

    monkeypatch.setenv("ARM_SUBSCRIPTION_ID", "0009")
    monkeypatch.setattr(AzureCli, "account", account)
    run(capsys)
    assert asked == ["0009"]


def test_what_the_reader_has_to_look_at_holds_nobody_up() -> None:
    assert code([ok("a", "b"), check("a", "b", "c")]) == READY
    assert code([ok("a", "b"), unknown("a", "b", "c")]) == NOT_SEEN
    assert code([unknown("a", "b", "c"), missing("a", "b", "c")]) == MISSING
