"""Settings that must not be wrong quietly: authentication above all."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.__main__ import main
from app.settings import Settings, read
from tests.app.conftest import PROMPTS

LEAST = {
    "AGENT": "notification",
    "PROMPTS": str(PROMPTS),
    "LLMProvider__ProviderType": "Ollama",
    "CosmosDb__Endpoint": "https://cosmos.example",
}
ENTRA = {
    "Authentication__TenantId": "11111111-2222-3333-4444-555555555555",
    "Authentication__Audience": "api://agents-prod",
}


def _read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name in ("ENVIRONMENT", "Authentication__Enabled"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**LEAST, **variables}.items():
        monkeypatch.setenv(name, value)
    return read()


def test_authentication_is_on_unless_dev_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _read(monkeypatch, **ENTRA).authentication.enabled
    off = {"Authentication__Enabled": "false"}
    assert not _read(monkeypatch, ENVIRONMENT="dev", **off).authentication.enabled


@pytest.mark.parametrize("environment", [None, "prod", "Dev", "dev2", ""])
def test_nobody_else_may_turn_it_off(monkeypatch: pytest.MonkeyPatch, environment: str | None) -> None:
    named = {} if environment is None else {"ENVIRONMENT": environment}
    with pytest.raises(ValidationError, match="only ENVIRONMENT=dev may"):
        _read(monkeypatch, Authentication__Enabled="false", **named)


@pytest.mark.parametrize("missing", [*ENTRA, None])
def test_half_of_it_is_not_enough_in_dev_either(monkeypatch: pytest.MonkeyPatch, missing: str | None) -> None:
    given = {name: value for name, value in ENTRA.items() if missing not in {name, None}}
    with pytest.raises(ValidationError, match="set Authentication__Audience and Authentication__TenantId"):
        _read(monkeypatch, ENVIRONMENT="dev", **given)


def test_the_process_refuses_to_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {**LEAST, "ENVIRONMENT": "prod", "Authentication__Enabled": "false"}.items():
        monkeypatch.setenv(name, value)
    assert main() == 2
    assert "Authentication__Enabled is false" in capsys.readouterr().out


def test_pins_and_trials_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _read(
        monkeypatch,
        **ENTRA,
        Prompts__Pins='{"compose": "1.0.0"}',
        Prompts__Trials='{"compose": {"version": "2.0.0", "share": 0.1}}',
    )
    assert settings.pins == {"compose": "1.0.0"}
    assert settings.trials["compose"].share == 0.1


@pytest.mark.parametrize("rate", ["0/minute", "10", "ten/minute", "10/fortnight"])
def test_a_rate_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, rate: str) -> None:
    with pytest.raises(ValidationError, match="Http"):
        _read(monkeypatch, **ENTRA, Http__Rate=rate)
