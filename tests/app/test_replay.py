"""Replaying: each letter once, nothing without being asked, and what cannot be replayed is said."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from app import replay
from app.dependency import DependencyError, RefusedError
from app.events.deadletters import DeadLetter, DeadLetters
from app.replay import Kept, Replay, Selection
from app.settings import DeadLetterSettings
from app.store.documents import Documents
from app.store.letters import Letters
from tests.app.events.examples import event
from tests.app.store.container import Container
from tests.app.test_health import Credential
from tests.app.virtual import START

HOUR = timedelta(hours=1)


class Clock:
    now = START

    def __call__(self) -> datetime:
        return self.now


class Topic:
    def __init__(self) -> None:
        self.error: DependencyError | None = None
        self.published: list[dict[str, Any]] = []

    async def publish(self, events: Sequence[dict[str, Any]]) -> None:
        if self.error:
            raise self.error
        self.published += events


class Undelivered:
    def __init__(self, *letters: DeadLetter) -> None:
        self._letters = letters

    async def all(self, agent: str | None = None) -> AsyncIterator[DeadLetter]:
        for letter in self._letters:
            if agent in {None, letter.agent}:
                yield letter


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def letters(clock: Clock) -> Letters:
    """Of two agents: two events, an hour apart, and a text that is none."""
    letters = Letters(Documents(Container()), clock)
    await letters.bury("devops", "m-1", json.dumps({**event(id="e-1").sent(), "extra": "kept"}), "3 attempts")
    await letters.bury("devops", "m-2", "rubbish", "not a CloudEvent")
    clock.now = START + HOUR
    await letters.bury("servicedesk", "m-3", json.dumps(event(id="e-3").sent()), "3 attempts")
    return letters


@pytest.fixture
def topic() -> Topic:
    return Topic()


def _outcomes(done: list[tuple[Kept, str]]) -> list[tuple[str, str]]:
    return [(letter.event_id, outcome) for letter, outcome in done]


async def test_each_letter_is_published_once_however_often_it_is_asked(
    letters: Letters, topic: Topic
) -> None:
    command = Replay(letters, topic)
    first = await command.run(Selection(), dry=False)
    assert sorted(_outcomes(first)) == [("", "not an event"), ("e-1", "replayed"), ("e-3", "replayed")]
    # As it came, with what the application does not know.
    assert [(one["id"], one.get("extra")) for one in topic.published] == [("e-1", "kept"), ("e-3", None)]
    again = await command.run(Selection(), dry=False)
    assert sorted(_outcomes(again))[1:] == [("e-1", "replayed before"), ("e-3", "replayed before")]
    assert len(topic.published) == 2


async def test_a_dry_run_publishes_nothing(letters: Letters, topic: Topic) -> None:
    done = await Replay(letters, topic).run(Selection(), dry=True)
    assert [outcome for _, outcome in done].count("would be replayed") == 2
    assert topic.published == []
    assert ("e-1", "replayed") in _outcomes(await Replay(letters, topic).run(Selection(), dry=False))


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (Selection(agent="devops"), ["", "e-1"]),
        (Selection(ids=frozenset({"e-3"})), ["e-3"]),
        (Selection(since=START + HOUR), ["e-3"]),
        (Selection(until=START + HOUR), ["", "e-1"]),
        (Selection(agent="devops", since=START + HOUR), []),
    ],
)
async def test_letters_are_chosen_by_agent_id_and_time(
    letters: Letters, topic: Topic, selection: Selection, found: list[str]
) -> None:
    done = await Replay(letters, topic).run(selection, dry=True)
    assert sorted(letter.event_id for letter, _ in done) == found


async def test_a_topic_that_is_away_leaves_the_rest_for_later(letters: Letters, topic: Topic) -> None:
    topic.error = DependencyError("503", 503)
    with pytest.raises(DependencyError):
        await Replay(letters, topic).run(Selection(), dry=False)
    topic.error = None
    done = await Replay(letters, topic).run(Selection(), dry=False)
    assert ("e-1", "replayed") in _outcomes(done)


async def test_what_the_topic_refuses_is_said_and_stays(letters: Letters, topic: Topic) -> None:
    topic.error = RefusedError("413 Request Entity Too Large", 413)
    done = await Replay(letters, topic).run(Selection(ids=frozenset({"e-1"})), dry=False)
    assert _outcomes(done) == [("e-1", "refused: 413 Request Entity Too Large")]
    topic.error = None
    done = await Replay(letters, topic).run(Selection(ids=frozenset({"e-1"})), dry=False)
    assert _outcomes(done) == [("e-1", "replayed")]


async def test_dead_letters_are_replayed_too(letters: Letters, topic: Topic) -> None:
    name = "SUB-DEVOPS/2026/11/1/12/x.json"
    dead = Undelivered(
        DeadLetter("devops", f"{name}#0", "not delivered: TimeToLiveExceeded", {"id": "d-1"}, START),
        DeadLetter("devops", f"{name}#1", "not an array", None, START),
    )
    command = Replay(letters, topic, dead)
    selection = Selection(agent="devops")
    assert ("d-1", "replayed") in _outcomes(await command.run(selection, dry=False))
    assert ("d-1", "replayed before") in _outcomes(await command.run(selection, dry=False))
    assert [one["id"] for one in topic.published] == ["e-1", "d-1"]


class Blobs:
    """The SDK's container client, as far as it is used."""

    def __init__(self, blobs: dict[str, bytes], error: HttpResponseError | None = None) -> None:
        self._blobs, self._error = blobs, error

    async def list_blobs(self, name_starts_with: str) -> AsyncIterator[Any]:
        if self._error:
            raise self._error
        for name in self._blobs:
            if name.startswith(name_starts_with):
                yield SimpleNamespace(name=name, last_modified=START)

    async def download_blob(self, name: str) -> Any:
        async def readall() -> bytes:
            return self._blobs[name]

        return SimpleNamespace(readall=readall)


async def _read(monkeypatch: pytest.MonkeyPatch, blobs: Blobs, agent: str | None = None) -> list[DeadLetter]:
    settings = DeadLetterSettings.model_validate({"Endpoint": "https://st.blob.example/"})
    credential: Any = Credential()
    letters = DeadLetters(settings, credential)
    genuine = letters._client
    monkeypatch.setattr(letters, "_client", blobs)
    try:
        return [letter async for letter in letters.all(agent)]
    finally:
        await genuine.close()


async def test_dead_letters_are_read_as_event_grid_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    added = {
        "deadletterreason": "MaxDeliveryAttemptsExceeded",
        "deliveryattempts": 30,
        "lastdeliveryoutcome": "Forbidden",
        "publishtime": "2026-11-01T12:00:00Z",
        "lastdeliveryattempttime": "2026-11-01T12:30:00Z",
    }
    blobs = Blobs(
        {
            "SUB-DEVOPS/2026/11/1/12/a.json": json.dumps([{**event(id="e-1").sent(), **added}]).encode(),
            "SUB-SERVICEDESK/2026/11/1/12/b.json": b"rubbish",
        }
    )
    devops, servicedesk = await _read(monkeypatch, blobs)
    assert (devops.agent, devops.event) == ("devops", event(id="e-1").sent())
    assert devops.reason == "not delivered: MaxDeliveryAttemptsExceeded"
    assert (servicedesk.agent, servicedesk.event) == ("servicedesk", None)
    assert servicedesk.reason.startswith("not an array of events")
    assert await _read(monkeypatch, blobs, "devops") == [devops]


async def test_who_may_not_read_dead_letters_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    error = HttpResponseError("This request is not authorized")
    error.status_code = 403
    with pytest.raises(DependencyError, match="not authorized") as refused:
        await _read(monkeypatch, Blobs({}, error))
    assert refused.value.status == 403


def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CosmosDb__Endpoint", "https://cosmos.example")
    monkeypatch.setenv("EventGrid__Endpoint", "https://topic.example/api/events")


def test_the_command_prints_a_line_for_each_letter(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _environment(monkeypatch)
    asked: list[tuple[Selection, bool]] = []

    async def run(settings: Any, selection: Selection, *, dry: bool) -> list[tuple[Kept, str]]:
        asked.append((selection, dry))
        return [(Kept("devops", "letter-1", "3 attempts", START, event(id="e-1").sent()), "replayed")]

    monkeypatch.setattr(replay, "_main", run)
    arguments = ["--agent", "devops", "--id", "a", "--id", "b", "--since", "2026-11-01", "--dry-run"]
    assert replay.main(arguments) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "outcome" in line]
    assert shown == [
        {
            "outcome": "replayed",
            "agent": "devops",
            "letter": "letter-1",
            "kept": START.isoformat(),
            "reason": "3 attempts",
            "event": "e-1",
            "type": "agents.servicedesk.triaged",
        }
    ]
    ((selection, dry),) = asked
    assert dry
    assert (selection.agent, selection.ids) == ("devops", frozenset({"a", "b"}))
    assert selection.since is not None
    assert selection.since.isoformat() == "2026-11-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("error", "code"), [(DependencyError("cosmos is away"), 1), (RefusedError("no"), 1), (None, 0)]
)
def test_the_exit_code_says_whether_to_try_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, code: int
) -> None:
    _environment(monkeypatch)

    async def run(*_: Any, **__: Any) -> list[Any]:
        if error:
            raise error
        return []

    monkeypatch.setattr(replay, "_main", run)
    assert replay.main([]) == code


def test_without_settings_it_says_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CosmosDb__Endpoint", raising=False)
    assert replay.main([]) == 2
    assert "CosmosDb" in capsys.readouterr().out


def test_a_time_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        replay.main(["--since", "yesterday"])
    assert ended.value.code == 2
    assert "'yesterday' is no time" in capsys.readouterr().err
