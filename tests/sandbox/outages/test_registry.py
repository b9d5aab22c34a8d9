"""The state of outages: on disk before it is in force, whole whatever is killed."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sandbox import cli, control
from sandbox.config import Config
from sandbox.control import Control
from sandbox.host import files
from sandbox.host.errors import HostError
from sandbox.outages.conduct import Conduct
from sandbox.outages.registry import Outages, path


class Noted:
    """Resources that note what they are told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    async def lose(self, region: str) -> None:
        self.told.append(("lose", region))

    async def regain(self, region: str) -> None:
        self.told.append(("regain", region))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("AGENTS_SANDBOX_STATE", str(tmp_path / "s"))
    return Config()


def test_an_outage_outlives_the_process(tmp_path: Path) -> None:
    place = tmp_path / "outages.json"
    first = Outages(place, now=lambda: 1_800_000_000.25)
    first.begin("West Europe")
    first.begin("northeurope")
    again = Outages(place)
    assert again.is_down("westeurope")
    assert again.is_down("West Europe")
    assert not again.is_down("swedencentral")
    assert not again.is_down("global")
    assert not again.is_down(None)
    assert [one.wire() for one in again.all()] == [
        {"region": "westeurope", "since": "2027-01-15T08:00:00.250+00:00"},
        {"region": "northeurope", "since": "2027-01-15T08:00:00.250+00:00"},
    ]
    again.end("WestEurope")
    assert [one.region for one in Outages(place).all()] == ["northeurope"]


@pytest.mark.parametrize(
    ("act", "given", "said"),
    [
        ("begin", "mars", "there is no region 'mars'; this Azure has westeurope, "),
        ("begin", None, "there is no region ''"),
        ("begin", "West Europe", "westeurope is down already, since "),
        ("end", "mars", "there is no region 'mars'"),
        ("end", "northeurope", "northeurope is up: there is no outage to end"),
    ],
)
def test_what_makes_no_sense_changes_nothing(tmp_path: Path, act: str, given: str | None, said: str) -> None:
    place = tmp_path / "outages.json"
    outages = Outages(place)
    outages.begin("westeurope")
    before = place.read_text()
    with pytest.raises(ValueError, match=said):
        getattr(outages, act)(given)
    assert place.read_text() == before
    assert [one.region for one in outages.all()] == ["westeurope"]


def test_what_cannot_be_written_is_not_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outages = Outages(tmp_path / "outages.json")

    def full(*_: Any, **__: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(files, "write", full)
    with pytest.raises(OSError, match="no space"):
        outages.begin("westeurope")
    assert not outages.is_down("westeurope")


async def test_a_change_wakes_who_waits_for_it(tmp_path: Path) -> None:
    outages = Outages(tmp_path / "outages.json")
    for act in (outages.begin, outages.end):
        waiting = asyncio.create_task(outages.change())
        await asyncio.sleep(0)
        assert not waiting.done()
        act("westeurope")
        await asyncio.wait_for(waiting, 1)


async def test_a_region_that_goes_down_while_it_comes_back(tmp_path: Path) -> None:
    """The return is given up before what is there is taken down again."""
    told: list[str] = []

    class Slow:
        async def lose(self, region: str) -> None:
            told.append(f"lose {region}")

        async def regain(self, region: str) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                told.append(f"given up {region}")

    conduct = Conduct(Outages(tmp_path / "outages.json"), Slow())
    await conduct.begin({"region": "westeurope"})
    await conduct.end({"region": "westeurope"})
    await asyncio.sleep(0)
    await asyncio.wait_for(conduct.begin({"region": "westeurope"}), 1)
    assert told == ["lose westeurope", "given up westeurope", "lose westeurope"]


@pytest.fixture
def served(config: Config) -> Iterator[Noted]:
    """A process that listens."""
    noted = Noted()
    conduct = Conduct(Outages(path(config)), noted)
    commands = {"outage begin": conduct.begin, "outage end": conduct.end, "outage list": conduct.listed}
    loop = asyncio.new_event_loop()
    listener = Control(control.path(config), commands)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(listener.start(), loop).result(5)
    yield noted
    asyncio.run_coroutine_threadsafe(listener.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli.app, ["outage", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_region_is_taken_down_listed_and_brought_back(config: Config, served: Noted) -> None:
    assert run() == "No region is down.\n"
    assert "westeurope is down. Next: sandbox outage westeurope --end" in run("westeurope")
    assert run("--list").startswith("westeurope is down since 20")
    (listed,) = json.loads(run("--json"))
    assert listed == json.loads(path(config).read_text())[0]
    assert "westeurope, down since" in run("West Europe", "--end")
    assert json.loads(run("--list", "--json")) == []
    assert served.told == [("lose", "westeurope"), ("regain", "westeurope")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mars"], "there is no region 'mars'"),
        (["northeurope", "--end"], "northeurope is up: there is no outage to end"),
        (["--end"], "say which region's outage is to end"),
        (["westeurope", "--list"], "say either a region or --list"),
    ],
)
def test_what_the_command_cannot_do_it_says(
    served: Noted,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["sandbox", "outage", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert said in capsys.readouterr().err
    assert served.told == []
    assert run() == "No region is down.\n"


def test_without_a_sandbox_it_says_so(config: Config) -> None:
    with pytest.raises(HostError, match="not running"):
        CliRunner().invoke(cli.app, ["outage", "westeurope"], catch_exceptions=False)
