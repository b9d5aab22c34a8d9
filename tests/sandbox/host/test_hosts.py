"""Names in a marked block of a hosts file that belongs to the machine."""

from __future__ import annotations

import subprocess
import sys
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from sandbox.config import Config
from sandbox.host.errors import HostError
from sandbox.host.hosts import Block, HostNames, names_file, replace_block

_BLOCK = Block("test-box", IPv4Network("10.79.0.0/16"))
_OTHERS = "127.0.0.1 localhost\n# a remark\n10.1.2.3\tprinter office\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(state=tmp_path, netns="test-box", network=_BLOCK.network, suffix="azure79.test")


@pytest.fixture
def etc_hosts(tmp_path: Path) -> Path:
    path = tmp_path / "etc-hosts"
    path.write_text(_OTHERS)
    return path


def test_publish_adds_to_both_files_and_keeps_the_rest(config: Config, etc_hosts: Path) -> None:
    names = HostNames(config, etc_hosts)
    names.publish("Management.azure79.test.")
    names.publish("agents.azure79.test", "10.79.1.100")
    text = etc_hosts.read_text()
    assert text.startswith(_OTHERS)
    assert "10.79.0.1 management.azure79.test\n" in text
    assert "10.79.1.100 agents.azure79.test\n" in text
    # To everybody else, the gateway is a public address.
    assert names_file(config).read_text() == (
        "10.79.1.100 agents.azure79.test\n192.0.2.1 management.azure79.test\n"
    )


def test_the_host_knows_private_names_and_prefers_them(config: Config, etc_hosts: Path) -> None:
    names = HostNames(config, etc_hosts)
    names.publish("kv.azure79.test")
    before = names_file(config).read_text()
    names.prefer({"kv.azure79.test": "10.79.252.1", "api.privatelink.azure79.test": "10.79.1.10"})
    names.publish("other.azure79.test")
    ours = [line for line in etc_hosts.read_text().splitlines() if "azure79.test" in line]
    assert ours == [
        "10.79.1.10 api.privatelink.azure79.test",
        "10.79.252.1 kv.azure79.test",
        "10.79.0.1 other.azure79.test",
    ]
    names.withdraw("other.azure79.test")
    assert names_file(config).read_text() == before
    names.prefer({})
    assert "10.79.0.1 kv.azure79.test\n" in etc_hosts.read_text()
    assert "api.privatelink" not in etc_hosts.read_text()
    names.prefer({"api.privatelink.azure79.test": "10.79.1.10"})
    names.remove_all()
    assert etc_hosts.read_text() == _OTHERS
    names.publish("kv.azure79.test")
    assert "api.privatelink" not in etc_hosts.read_text()


def test_publishing_again_writes_nothing(config: Config, etc_hosts: Path) -> None:
    names = HostNames(config, etc_hosts)
    names.publish("a.azure79.test")
    before = etc_hosts.stat().st_ino, names_file(config).stat().st_ino
    names.publish("a.azure79.test")
    assert (etc_hosts.stat().st_ino, names_file(config).stat().st_ino) == before


def test_a_name_moves_and_is_withdrawn(config: Config, etc_hosts: Path) -> None:
    names = HostNames(config, etc_hosts)
    names.publish("a.azure79.test", "10.79.1.100")
    names.publish("a.azure79.test", "10.79.2.100")
    assert names.published() == {"a.azure79.test": "10.79.2.100"}
    names.withdraw("a.azure79.test")
    names.withdraw("never.azure79.test")
    assert etc_hosts.read_text() == _OTHERS


def test_remove_all_restores_the_file_byte_by_byte(config: Config, etc_hosts: Path) -> None:
    etc_hosts.write_text(_OTHERS.rstrip("\n") + "\n")
    names = HostNames(config, etc_hosts)
    for count in range(5):
        names.publish(f"n{count}.azure79.test")
    names.remove_all()
    names.remove_all()
    assert etc_hosts.read_text() == _OTHERS
    assert names.published() == {}


def test_a_block_that_someone_else_removed_comes_back_whole(config: Config, etc_hosts: Path) -> None:
    names = HostNames(config, etc_hosts)
    names.publish("a.azure79.test")
    etc_hosts.write_text(_OTHERS)
    names.publish("b.azure79.test")
    assert "10.79.0.1 a.azure79.test\n10.79.0.1 b.azure79.test\n" in etc_hosts.read_text()


def test_two_sandboxes_keep_apart(config: Config, etc_hosts: Path, tmp_path: Path) -> None:
    other = Config(
        state=tmp_path / "other", netns="test", network=IPv4Network("10.78.0.0/16"), suffix="azure78.test"
    )
    HostNames(config, etc_hosts).publish("a.azure79.test")
    HostNames(other, etc_hosts).publish("a.azure78.test")
    HostNames(config, etc_hosts).remove_all()
    assert "a.azure79.test" not in etc_hosts.read_text()
    assert "10.78.0.1 a.azure78.test" in etc_hosts.read_text()


@pytest.mark.parametrize("name", ["", "a b", "a..b", "-a.test", "a\n1.2.3.4 evil", "x" * 64 + ".test"])
def test_names_that_are_none_are_refused(config: Config, etc_hosts: Path, name: str) -> None:
    with pytest.raises(HostError, match="is not a host name"):
        HostNames(config, etc_hosts).publish(name)
    assert etc_hosts.read_text() == _OTHERS


@pytest.mark.parametrize("address", ["10.77.0.1", "8.8.8.8", "::1", "10.79.0.1 x"])
def test_addresses_outside_the_network_are_refused(config: Config, etc_hosts: Path, address: str) -> None:
    with pytest.raises(HostError, match=r"is not an IPv4 address in 10\.79"):
        HostNames(config, etc_hosts).publish("a.azure79.test", address)
    assert etc_hosts.read_text() == _OTHERS


def test_a_block_cut_short_takes_no_line_of_others() -> None:
    cut = f"{_OTHERS}{_BLOCK.begin}\n10.79.0.1 a.azure79.test\n10.1.1.1 mine\n"
    assert replace_block(cut, _BLOCK, []) == f"{_OTHERS}10.1.1.1 mine\n"


def test_a_file_without_a_last_newline_gets_one() -> None:
    text = replace_block("127.0.0.1 localhost", _BLOCK, ["10.79.0.1 a.test"])
    assert text == f"127.0.0.1 localhost\n{_BLOCK.begin}\n10.79.0.1 a.test\n{_BLOCK.end}\n"


def test_concurrent_processes_lose_no_name(config: Config, etc_hosts: Path) -> None:
    program = """
import sys
from ipaddress import IPv4Network
from pathlib import Path
from sandbox.config import Config
from sandbox.host.hosts import HostNames
state, etc, who = sys.argv[1:]
config = Config(state=Path(state), netns="test-box", network=IPv4Network("10.79.0.0/16"))
for count in range(20):
    HostNames(config, Path(etc)).publish(f"{who}-{count}.azure79.test")
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(config.state), str(etc_hosts), who])
        for who in ("a", "b", "c")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(HostNames(config, etc_hosts).published()) == 60
    assert etc_hosts.read_text().count("10.79.0.1 ") == 60
    assert etc_hosts.read_text().startswith(_OTHERS)
