"""The books of executions: read as they are, by their correlation, and nothing of others."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, insert
from sqlalchemy.pool import StaticPool

from app import audit
from app.audit import Auditor
from app.dependency import DependencyError
from app.store.documents import Documents
from app.store.events import EventStore
from app.store.executions import Execution, Usage
from app.store.letters import Letters
from app.store.markers import Markers
from app.store.outbox import Outbox
from app.store.records import Record, input_hash
from app.store.tables import AGENT_EXECUTIONS, metadata
from tests.app.events.examples import event
from tests.app.store.container import Container

DAY = date(2026, 11, 28)
START = datetime(2026, 11, 28, 10, tzinfo=UTC)


def execution(number: int, correlation: str, at: datetime = START) -> Execution:
    return Execution(
        id=str(UUID(int=number)),
        agent="devops",
        prompt="remediate",
        prompt_version="1.0.0",
        input={"incident": str(number)},
        output={},
        provider="azure-openai",
        model="gpt-5.4-mini",
        usage=Usage(prompt_tokens=10 * number, completion_tokens=number),
        correlation_id=correlation,
        started_at=at,
        finished_at=at,
    )


@pytest.fixture
def engine() -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    metadata.create_all(engine)
    return engine


async def test_books_are_of_the_executions_asked_for(engine: Engine) -> None:
    documents, ledger = Documents(Container()), Documents(Container("day"))
    store = EventStore(documents, recorded=True)
    mine, other = execution(1, "drill-a-1"), execution(2, "drill-b-1")
    caused = event(id="cause")
    await store.record(mine, [event(id="follows", correlationid="drill-a-1")], once="event:x")
    await store.record(other, [event(id="other", correlationid="drill-b-1")])
    await Markers(documents, "devops").mark(caused.key)
    letters = Letters(documents)
    await letters.bury("devops", "m-1", "rubbish", "not a CloudEvent")
    await letters.bury(
        "devops", "m-2", event(correlationid="drill-a-1").model_dump_json(), "3 attempts failed"
    )
    outbox = Outbox(documents, "devops")
    pending = await outbox.pending("sql", START + timedelta(days=3650))
    await outbox.settle([one for one in pending if one.id.endswith(mine.id)], START)
    await ledger.create({"id": "devops", "day": "2026-11-28", "agent": "devops", "committed": 33})
    with engine.begin() as connection:
        for one in (mine, other, execution(3, "drill-a-2", START + timedelta(days=1))):
            connection.execute(insert(AGENT_EXECUTIONS), [Record.succeeded(one).row()])

    books = await Auditor(documents, ledger, engine).read("drill-a", [DAY])

    (ran,) = books.executions
    assert (ran.id, ran.agent, ran.correlation, ran.tokens) == (mine.id, "devops", "drill-a-1", 11)
    assert ran.input == input_hash(mine.input)
    assert {(one.target, one.settled, one.correlation) for one in books.owed} == {
        ("topic", False, "drill-a-1"),
        ("sql", True, "drill-a-1"),
    }
    (published,) = [one for one in books.owed if one.target == "topic"]
    assert published.event == event(id="follows").key
    assert [(one.agent, one.event) for one in books.consumed] == [("devops", caused.key)]
    assert [one.execution for one in books.caused] == [mine.id]
    assert books.letters == 1
    assert [(row.correlation, row.tokens) for row in books.rows] == [("drill-a-1", 11), ("drill-a-2", 33)]
    # The ledger's and the history's day: all executions of it, and of no other.
    assert [(day.committed, day.history) for day in books.days] == [({"devops": 33}, {"devops": 33})]


async def test_a_history_that_cannot_be_read_is_said(engine: Engine) -> None:
    metadata.drop_all(engine)
    auditor = Auditor(Documents(Container()), Documents(Container("day")), engine)
    with pytest.raises(DependencyError, match="no such table"):
        await auditor.read("", [DAY])


def test_wrong_settings_are_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[Any]) -> None:
    for name in ("AGENT", "CosmosDb__Endpoint"):
        monkeypatch.delenv(name, raising=False)
    assert audit.main(["--correlation", "x"]) == 2
    assert "wrong settings" in capsys.readouterr().out
