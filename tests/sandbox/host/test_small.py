"""Mount tables, name server configuration, ports, shell exports, program definitions, session and lock."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import psutil
import pytest

from sandbox.config import Config
from sandbox.host import dns, environment, mounts, network, ports, programs, session
from sandbox.host.errors import HostError
from sandbox.host.lock import exclusive
from sandbox.services import Program


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        state=tmp_path, netns="test-box", network=IPv4Network("10.79.0.0/16"), suffix="azure79.test"
    )


def test_mountinfo_with_escapes_and_optional_fields() -> None:
    text = (
        "21 80 0:20 / /sys/fs/cgroup rw,relatime shared:9 master:1 - tmpfs tmpfs rw,mode=755\n"
        "36 21 0:31 / /mnt/a\\040b\\134c rw - cgroup2 cgroup2 rw\n"
        "not a line\n"
    )
    assert mounts.parse(text) == [
        mounts.Mount(Path("/sys/fs/cgroup"), "tmpfs"),
        mounts.Mount(Path("/mnt/a b\\c"), "cgroup2"),
    ]


def test_the_name_server_reads_published_names_before_the_wildcard(config: Config) -> None:
    made = dns.program(config, Path("/bin/coredns"))
    corefile = (config.run / "Corefile").read_text()
    assert corefile.startswith(f'import "{config.run / "views"}*"\n')
    *_, internet, everybody = corefile.split("azure79.test:53 {\n")
    assert "view internet" in internet
    assert str(config.run / "zone.empty") in internet
    assert "view" not in everybody
    assert f'hosts "{config.run / "hosts"}"' in everybody
    assert "* IN A 192.0.2.1" in (config.run / "zone").read_text()
    assert made.netns == "test-box"


def test_host_links_fit_the_kernels_limit_and_differ_by_network() -> None:
    links = {network.host_link(Config(network=IPv4Network(f"10.{n}.0.0/16"))) for n in (0, 77, 255)}
    assert len(links) == 3
    assert all(len(link) <= 15 for link in links)


@pytest.mark.parametrize("text", ["10.77.0.0/24", "8.8.0.0/16", "10.77.1.0/16", "nonsense"])
def test_a_network_that_cannot_be_used_is_refused_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("AGENTS_SANDBOX_NETWORK", text)
    with pytest.raises(ValueError, match=f"AGENTS_SANDBOX_NETWORK={text}"):
        Config()


def test_coordinates_pass_to_another_process(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in config.environment().items():
        monkeypatch.setenv(name, value)
    assert Config() == config


def test_ports_are_kept_unless_somebody_took_them(config: Config) -> None:
    first = ports.choose(config, ("a", "b"))
    assert len(set(first.values())) == 2
    assert ports.choose(config, ("a", "b")) == first
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first["a"]))
        taken.listen()
        assert ports.choose(config, ("a", "b"), running=("a",)) == first
        moved = ports.choose(config, ("a", "b"))
    assert moved["a"] != first["a"]
    assert moved["b"] == first["b"]


def test_damaged_port_notes_are_replaced(config: Config) -> None:
    (config.state / "ports.json").write_text('["not", "ports"]')
    assert set(ports.choose(config, ("a",))) == {"a"}


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh"])
def test_exports_survive_any_value_and_repetition(shell: str) -> None:
    value = 'it\'s "quoted" $HOME `x` ; # \\ end'
    text = environment.exports({"TRICKY": value}, ["/opt/a b/bin", "/opt/c"])
    script = f'PATH=/usr/bin:/bin\n{text}\n{text}\nprintf "%s|%s" "$TRICKY" "$PATH"'
    try:
        done = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip(f"{shell} is not installed")
    assert done.stdout == f"{value}|/opt/a b/bin:/opt/c:/usr/bin:/bin"


def test_settings_need_the_deployer(config: Config) -> None:
    with pytest.raises(HostError, match="sandbox logs azure"):
        environment.variables(config, {})


def test_a_definition_carries_what_supervisords_format_cannot(config: Config) -> None:
    command = ["sh", "-c", "printf '%s' \"$A\" ; # 100%"]
    definition = programs.define(config, Program("p", command, env={"A": "x\ny ;z %d"}))
    done = subprocess.run(
        ["sh"], input=definition.script_text, capture_output=True, text=True, check=True, env={}
    )
    assert done.stdout == "x\ny ;z %d"
    assert not definition.is_written()


@pytest.mark.parametrize("name", ["", "a b", "../x", "a:b", "-a"])
def test_program_names_that_would_break_paths_are_refused(config: Config, name: str) -> None:
    with pytest.raises(HostError, match="cannot name a program"):
        programs.define(config, Program(name, ["true"]))


def test_a_variable_that_is_none_is_refused(config: Config) -> None:
    with pytest.raises(HostError, match="cannot name an environment variable"):
        programs.define(config, Program("p", ["true"], env={"A=B; rm": "x"}))


def test_a_session_runs_only_as_long_as_its_very_process(config: Config) -> None:
    born = session.birth(os.getpid())
    assert born is not None
    mine = session.Session(1.0, os.getpid(), born, [], {}, {})
    session.save(config, mine)
    assert session.load(config) == mine
    assert mine.is_running()
    assert not session.Session(1.0, os.getpid(), born - 1, [], {}, {}).is_running()
    assert session.path(config).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"started": 1}'])
def test_a_damaged_session_counts_as_none(config: Config, text: str) -> None:
    session.path(config).parent.mkdir()
    session.path(config).write_text(text)
    assert session.load(config) is None


def test_the_second_waits_and_says_for_whom(config: Config) -> None:
    said: list[str] = []
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        def say(text: str) -> None:
            said.append(text)
            waiting.set()

        with exclusive(config, "down", say):
            order.append("second")

    with exclusive(config, "up", said.append):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert said[0].startswith(f"waiting for `sandbox up` (process {os.getpid()}, since ")


def test_a_lock_that_reset_removed_is_made_anew(config: Config) -> None:
    entered = threading.Event()

    def second() -> None:
        with exclusive(config, "up", lambda _: entered.set()):
            assert (config.state / "lock").exists()

    with exclusive(config, "reset", lambda _: None):
        thread = threading.Thread(target=second)
        thread.start()
        assert entered.wait(10)
        (config.state / "lock").unlink()
        config.state.rmdir()
    thread.join(10)
    assert not thread.is_alive()
    assert (config.state / "lock").exists()


def test_a_folder_with_other_things_is_not_taken_for_state(config: Config) -> None:
    (config.state / "thesis.tex").write_text("\\documentclass{book}")
    with (
        pytest.raises(HostError, match="AGENTS_SANDBOX_STATE"),
        exclusive(config, "reset", lambda _: None),
    ):
        pytest.fail("it must not get here")
    assert [path.name for path in config.state.iterdir()] == ["thesis.tex"]


def test_what_clients_wrote_after_a_reset_is_taken_for_state(config: Config) -> None:
    """A shell with the variables still set runs az or pulumi: neither `up` nor `reset` may stumble."""
    for folder in (environment.azure_config_folder(config), environment.pulumi_folder(config)):
        folder.mkdir(parents=True)
    with exclusive(config, "reset", lambda _: None):
        assert (config.state / "lock").exists()


def test_a_state_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with (
        pytest.raises(HostError, match="cannot be used"),
        exclusive(Config(state=file), "up", lambda _: None),
    ):
        pytest.fail("it must not get here")


def test_node_addresses_must_be_on_the_network(config: Config) -> None:
    with pytest.raises(HostError, match=r"10\.1\.1\.1 is not in 10\.79"):
        network.add_node(config, network.Node("n", IPv4Address("10.1.1.1")))


def test_no_birth_of_a_process_that_is_not() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert session.birth(gone.pid) is None
    assert session.birth(os.getpid()) == psutil.Process().create_time()
