"""`sandbox fault …` talks to the running process, and says what is wrong with what it was asked."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sandbox import cli, control
from sandbox.config import Config
from sandbox.control import Control
from sandbox.faults.registry import Faults
from sandbox.host.errors import HostError


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("AGENTS_SANDBOX_STATE", str(tmp_path / "s"))
    return Config()


@pytest.fixture
def faults(config: Config) -> Iterator[Faults]:
    """A process that listens."""
    found = Faults()
    loop = asyncio.new_event_loop()
    served = Control(
        control.path(config),
        {
            "fault add": lambda given: found.add(given).wire(),
            "fault list": lambda _: [one.wire() for one in found.all()],
            "fault clear": lambda given: found.clear(given.get("number")),
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
