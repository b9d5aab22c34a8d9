"""Writers note what was promised: neither more nor less."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import httpx
import pytest

from drills import content
from drills.agents import Agents
from drills.content import UnreadableError, read_back
from drills.journal import Journal, read
from drills.timeline import Timeline
from drills.writing import Writers, incident
from tests.drills.examples import sentinel


class Fake:
    """Answers as agents do: once under a key, by content; `refusing` is what it says instead."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, object]] = {}
        self.refusing: httpx.Response | Exception | None = None
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if isinstance(self.refusing, Exception):
            raise self.refusing
        if self.refusing is not None:
            return self.refusing
        if request.method == "GET":
            found = self.kept.get(request.url.path.rpartition("/")[2])
            problem = {"content-type": "application/problem+json"}
            return httpx.Response(200, json=found) if found else httpx.Response(404, headers=problem, json={})
        with self._lock:
            name = f"e-{request.headers['idempotency-key']}"
            self.kept[name] = {"id": name, "input": json.loads(request.content)["input"]}
            return httpx.Response(200, json=self.kept[name])


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def agents(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Agents:
    agents = Agents.__new__(Agents)
    agents._http = httpx.Client(base_url="https://agents.test/api", transport=httpx.MockTransport(fake))
    return agents


def test_what_is_acknowledged_is_read_back_as_it_was(agents: Agents, fake: Fake, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        writers = Writers(agents, journal, "drill-x", Timeline().now)
        with writers:
            written = [writers.one(), writers.one(incident)]
    assert [one.agent for one in written] == ["notification", "servicedesk"]
    found = read(tmp_path / "journal")
    assert found == writers.sentinels
    assert len({json.dumps(one.input) for one in found}) == len(found), "each has content of its own"
    assert all(one.acknowledged and one.sent <= one.acknowledged for one in found)
    answers = read_back(agents, found)
    assert content.judge(found, answers, failed=found[-1].sent).problems == []
    del fake.kept[found[0].id]
    fake.kept[found[1].id]["input"] = {}
    assert len(content.judge(found, read_back(agents, found), failed=found[-1].sent).problems) == 2


@pytest.mark.parametrize(
    ("refusing", "said"),
    [(httpx.Response(503, text="no route"), "503 no route"), (httpx.ConnectError("refused"), "ConnectError")],
    ids=["refused", "unreachable"],
)
def test_what_is_not_acknowledged_is_no_promise(
    agents: Agents, fake: Fake, tmp_path: Path, refusing: httpx.Response | Exception, said: str
) -> None:
    fake.refusing = refusing
    with Journal(tmp_path / "journal") as journal:
        found = Writers(agents, journal, "drill-x", Timeline().now).one()
    assert found.acknowledged is None
    assert (found.failure or "").startswith(said)
    assert read_back(agents, [found]) == {}
    with pytest.raises(ValueError, match="never acknowledged"):
        _ = found.id


@pytest.mark.parametrize(
    "refusing",
    [
        httpx.Response(503, text="no route"),
        httpx.Response(404, text="nginx", headers={"content-type": "text/html"}),
    ],
    ids=["refused", "no route"],
)
def test_an_agent_that_is_away_has_lost_nothing(
    agents: Agents, fake: Fake, monkeypatch: pytest.MonkeyPatch, refusing: httpx.Response
) -> None:
    monkeypatch.setattr(content, "_PATIENCE", 0)
    fake.refusing = refusing
    with pytest.raises(UnreadableError, match="sentinel 1 cannot be read"):
        read_back(agents, [sentinel(1, 1, 2)])
