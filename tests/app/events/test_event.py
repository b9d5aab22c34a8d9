"""CloudEvents as they come in: from agents, from others, and from nowhere."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.events.event import Event, MalformedError, parse
from tests.app.events.examples import event

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_what_is_sent_is_what_is_read() -> None:
    sent = event(traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01", hops=3)
    assert parse(json.dumps(sent.sent())) == sent
    assert sent.sent()["specversion"] == "1.0"
    assert "subject" not in sent.sent()


def test_events_of_others_are_taken() -> None:
    found = parse('{"specversion": "1.0", "id": "1", "source": "/me", "type": "t", "other": 5, "hops": "2"}')
    assert (found.hops, found.data) == (2, None)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "event: "),
        ("[]", "event: "),
        ('{"specversion": "0.3", "id": "1", "source": "s", "type": "t"}', "specversion: "),
        ('{"specversion": "1.0", "source": "s", "type": "t"}', "id: "),
        ('{"specversion": "1.0", "id": "", "source": "s", "type": "t"}', "id: "),
        ('{"specversion": "1.0", "id": "1", "source": "s", "type": "t", "hops": -1}', "hops: "),
        ('{"specversion": "1.0", "id": "1", "source": "s", "type": "t", "time": "noon"}', "time: "),
    ],
)
def test_what_is_malformed_is_said(text: str, what: str) -> None:
    with pytest.raises(MalformedError, match=f"^{what}"):
        parse(text)


@given(st.text() | st.binary() | anything.map(json.dumps))
def test_nothing_else_is_raised_for_any_text(text: str | bytes) -> None:
    with pytest.raises(MalformedError):
        parse(text)


@given(st.dictionaries(st.sampled_from([*Event.model_fields, "other"]), anything))
def test_nothing_else_is_raised_for_any_attributes(values: dict[str, Any]) -> None:
    try:
        found = parse(json.dumps({**event().sent(), **values}))
    except MalformedError:
        return
    assert re.fullmatch("[0-9a-f]{64}", found.key)
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", found.correlation_id)


def test_an_event_is_known_by_source_and_id() -> None:
    one = event(id="1")
    assert one.key == event(id="1", hops=9, data=None).key
    assert one.key != event(id="2").key
    assert one.key != event(id="1", source="/agents/devops").key


def test_a_correlation_id_is_kept_or_the_same_at_every_delivery() -> None:
    assert event(correlationid="incident-7").correlation_id == "incident-7"
    for given_one in (None, "", "a b", "x" * 65):
        found = event(id="1", correlationid=given_one)
        assert found.correlation_id == event(id="1", correlationid=given_one).correlation_id
        assert len(found.correlation_id) == 36
