from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.llm import retry_after

NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3),
        ({"retry-after": "Mon, 04 May 2026 12:00:09 GMT"}, 9),
        ({"retry-after": "Monday, 04-May-26 12:00:09 GMT"}, 9),
        ({"retry-after": "Mon May  4 12:00:09 2026"}, 9),
        ({"retry-after": "Mon, 04 May 2026 11:00:00 GMT"}, 0),
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "Mon, 99 May 2026 11:00:00 GMT"}, None),
    ],
)
def test_every_form_of_the_header_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after.seconds(headers, NOW) == seconds


@given(st.text(), st.text())
def test_whatever_is_sent_is_a_pause_or_none(plain: str, milliseconds: str) -> None:
    found = retry_after.seconds({"retry-after": plain, "retry-after-ms": milliseconds}, NOW)
    assert found is None or 0 <= found < float("inf")
