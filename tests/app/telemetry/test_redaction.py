from __future__ import annotations

import pytest

from app.telemetry.redaction import redact, stack

CANARY = "c4n4ry-value-0123456789"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"authorization=Basic {CANARY.replace('-', '')}==",
        f"{{'api-key': '{CANARY}'}}",
        f'{{"client_secret": "{CANARY}", "other": 1}}',
        f"https://st.queue.example/q?sv=2024&sig={CANARY}&se=1",
        f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={CANARY};EndpointSuffix=e",
        f"Endpoint=sb://x/;SharedAccessKey={CANARY}",
        f"postgresql://agents:{CANARY}@sql.example/AgentsDB",
        f"the key sk-{CANARY} was refused",
        f"aeg-sas-key: {CANARY}",
        f"token eyJhbGciOi.{CANARY.replace('-', '')}.c4n4ry",
        f"password = {CANARY}",
    ],
)
def test_credentials_are_removed(text: str) -> None:
    assert CANARY in text or CANARY.replace("-", "") in text
    told = redact(text)
    assert "c4n4ry" not in told
    assert "[removed]" in told


@pytest.mark.parametrize(
    "text",
    [
        "execution 0a1b2c3d-0000-4000-8000-000000000000 stored",
        "azure-openai failed: 429",
        "Uvicorn running on http://0.0.0.0:8080 (Press CTRL+C to quit)",
        "signature: none, design=good, 12 tokens of 100 used",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert redact(text) == text


def _look_up() -> None:
    dict[str, str]()[CANARY]


def _fail() -> None:
    try:
        _look_up()
    except KeyError as error:
        raise ValueError(CANARY) from error


def _fail_as_one_of_several() -> None:
    try:
        _fail()
    except ValueError:
        raise ExceptionGroup(CANARY, [TypeError(CANARY)]) from None


def test_errors_are_told_by_type_and_place() -> None:
    with pytest.raises(ExceptionGroup) as found:
        _fail_as_one_of_several()
    told = stack(found.value)
    assert CANARY not in told
    assert "_fail_as_one_of_several" in told
    assert "TypeError" in told
    assert "ValueError" not in told  # from None


def test_what_led_to_an_error_comes_first() -> None:
    with pytest.raises(ValueError, match=CANARY) as found:
        _fail()
    told = stack(found.value)
    assert CANARY not in told
    assert told.index("KeyError") < told.index("and then") < told.rindex("ValueError")


def test_an_error_that_leads_to_itself_is_told_once() -> None:
    error, other = ValueError("a"), TypeError("b")
    error.__context__, other.__context__ = other, error
    assert stack(error).count("ValueError") == 1
    group = ExceptionGroup("both", [error])
    error.__context__ = group
    assert stack(group).count("ExceptionGroup") == stack(group).count("ValueError") == 1
