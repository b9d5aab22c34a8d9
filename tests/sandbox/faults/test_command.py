"""`sandbox fault …` talks to the running process, and says what is wrong with what it was asked."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sandbox import cli, control
from sandbox.arm.database import Database
from sandbox.arm.store import SqliteStore
from sandbox.config import Config
from sandbox.control import Control
from sandbox.faults.delays import Delays
from sandbox.faults.delays import path as delays_path
from sandbox.faults.registry import Faults
from sandbox.host import status
from sandbox.host.errors import HostError


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("AGENTS_SANDBOX_STATE", str(tmp_path / "s"))
    return Config()


@pytest.fixture
def faults(config: Config) -> Iterator[Faults]:
    """A process that listens."""
    found = Faults()
    late = Delays(delays_path(config), SqliteStore(Database(config.state / "arm.db")))
    loop = asyncio.new_event_loop()
    served = Control(
        control.path(config),
        {
            "fault add": lambda given: found.add(given).wire(),
            "fault delay": lambda given: late.set(given).wire(),
            "fault list": lambda _: [
                *(one.wire() for one in found.all()),
                *(one.wire() for one in late.all()),
            ],
            "fault clear": lambda given: found.clear(given.get("number")) + late.clear(given.get("number")),
            "outage list": lambda _: [{"region": "westeurope", "since": "2026-11-28T09:59:30.000+00:00"}],
        },
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(served.start(), loop).result(5)
    yield found
    asyncio.run_coroutine_threadsafe(served.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    assert not control.path(config).exists()


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli.app, ["fault", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_faults_are_put_in_force_listed_and_cleared(faults: Faults) -> None:
    wide = run("arm", "--type", "Microsoft.Sql/*", "--method", "PUT", "--operation-fails", "--times", "2")
    assert "lets asynchronous operations fail for method PUT, type Microsoft.Sql/*, 2 more times" in wide
    run("openai", "--status", "429", "--host", "oai-*")
    first, second = json.loads(run("list", "--json"))
    assert (first["target"], first["times"], second["status"]) == ("arm", 2, 429)
    assert "openai answers 429 for host oai-*" in run("list")
    assert run("clear", str(first["number"])) == "1 cleared.\n"
    assert [one.target for one in faults.all()] == ["openai"]
    run("clear")
    assert "No fault is in force." in run("list")


def test_delays_are_set_listed_and_cleared_like_faults(faults: Faults) -> None:
    assert "sql replicates 30 s late" in run("replication", "--service", "sql", "--seconds", "30")
    assert "cosmos cosmos-* is backed up 100 s late" in run(
        "backups", "--service", "cosmos", "--name", "cosmos-*", "--seconds", "100"
    )
    first = json.loads(run("list", "--json"))[0]
    assert (first["target"], first["service"], first["seconds"]) == ("replication", "sql", 30)
    assert "sql replicates 30 s late" in run("list")
    assert run("clear", str(first["number"])) == "1 cleared.\n"
    assert "no delay of backups for cosmos-* any more" in run(
        "backups", "--service", "cosmos", "--name", "cosmos-*", "--seconds", "0"
    )
    assert "No fault is in force." in run("list")
    with pytest.raises(ValueError, match=r"Microsoft\.Sql/servers has no 'sql-nowhere'; there is none"):
        run("replication", "--service", "sql", "--name", "sql-nowhere", "--seconds", "1")


def test_the_status_tells_of_lost_regions_and_faults(
    config: Config, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a line each, whatever runs."""
    now = time.time()
    running = [status.Part("azure", "RUNNING", now, "process 1", None)]
    asked = {name: status._asked(config, f"{name} list") for name in ("outage", "fault")}
    found = status.Status("running", now, None, running, asked["outage"], asked["fault"])
    monkeypatch.setattr(status, "status", lambda _config: found)
    assert "Regions lost: westeurope since 2026-11-28T09:59:30.000+00:00." in told()
    assert "Faults" not in told()
    run("openai", "--status", "429")
    run("replication", "--service", "cosmos", "--seconds", "30")
    found = dataclasses.replace(found, faults=status._asked(config, "fault list"))
    (line,) = [one for one in told().splitlines() if one.startswith("Faults in force: ")]
    assert "openai answers 429; " in line
    assert "cosmos replicates 30 s late" in line
    shown = json.loads(told("--json"))
    assert [one["region"] for one in shown["outages"]] == ["westeurope"]
    assert [one["target"] for one in shown["faults"]] == ["openai", "replication"]


def test_a_status_without_an_answer_says_so(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = status._asked(config, "outage list")
    assert asked is None
    found = status.Status("degraded", 0.0, "`make up`", [], asked, asked)
    monkeypatch.setattr(status, "status", lambda _config: found)
    assert "Lost regions and faults in force are not known" in told()


def told(*arguments: str) -> str:
    return CliRunner().invoke(cli.app, ["status", *arguments], catch_exceptions=False).output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["arm"], "say one of --status, --operation-fails, --hang and --cut"),
        (["openai", "--status", "500", "--cut"], "say one of"),
        (["arm", "--status", "409", "--hang", "3"], "say one of"),
        (["arm", "--status", "200"], "200 is no refusal"),
        (["arm", "--status", "409", "--method", "BREW"], "BREW is no method"),
        (["arm", "--operation-fails", "--method", "GET"], "GET starts no asynchronous operation"),
        (["cosmos", "--status", "429", "--times", "0"], "--times is at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(faults: Faults, arguments: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CliRunner().invoke(cli.app, ["fault", *arguments], catch_exceptions=False)
    assert faults.all() == []


def test_only_root_may_open_it(config: Config, faults: Faults) -> None:
    assert control.path(config).stat().st_mode & 0o777 == 0o600


def test_without_a_sandbox_it_says_so(config: Config) -> None:
    with pytest.raises(HostError, match="not running"):
        control.ask(config, "fault list")


def test_an_unknown_command_and_a_broken_line_are_answered(config: Config, faults: Faults) -> None:
    with pytest.raises(ValueError, match="there is no command 'odd'"):
        control.ask(config, "odd")
    with pytest.raises(ValueError, match="a fault has no colour"):
        control.ask(config, "fault add", target="arm", status=409, colour="red")
