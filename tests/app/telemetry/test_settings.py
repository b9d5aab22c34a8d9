from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.settings import read

KEY = "11111111-2222-3333-4444-555555555555"
INSIGHTS = "APPLICATIONINSIGHTS_CONNECTION_STRING"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT", "notification")
    monkeypatch.setenv("LLMProvider__ProviderType", "Ollama")
    monkeypatch.setenv("CosmosDb__Endpoint", "https://cosmos.example")


@pytest.mark.parametrize(
    "more",
    [
        (),
        (
            "IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/",
            "LiveEndpoint=https://westeurope.livediagnostics.monitor.azure.com/",
            f"ApplicationId={KEY}",
        ),
        ("IngestionEndpoint=https://in.example/", "AADAudience=https://monitor.example/"),
    ],
)
def test_connection_strings_of_azure_are_taken(
    monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    value = ";".join((f"InstrumentationKey={KEY}", *more))
    monkeypatch.setenv(INSIGHTS, value)
    assert read().insights == value


@pytest.mark.parametrize(
    "value",
    [
        "c4n4ry",
        "IngestionEndpoint=https://c4n4ry/",
        "InstrumentationKey=c4n4ry",
        f"InstrumentationKey={KEY};",
    ],
)
def test_a_malformed_one_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(INSIGHTS, value)
    with pytest.raises(ValidationError) as found:
        read()
    assert INSIGHTS in str(found.value)
    assert value not in str(found.value)


@pytest.mark.parametrize("seconds", ["-1", "61", "soon"])
def test_the_time_to_leave_is_one_that_a_pod_has(monkeypatch: pytest.MonkeyPatch, seconds: str) -> None:
    monkeypatch.setenv("Shutdown__LeaveSeconds", seconds)
    with pytest.raises(ValidationError, match=r"Shutdown\.LeaveSeconds"):
        read()
