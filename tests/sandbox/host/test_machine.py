"""Real namespaces, cgroups and processes, made and taken away again."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import stat
import subprocess
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from sandbox.config import Config
from sandbox.host import (
    azlogin,
    clear,
    environment,
    mounts,
    netns,
    network,
    processes,
    session,
    supervisor,
)
from sandbox.host.cgroup import Cgroup, Hierarchy
from sandbox.host.command import attempt, ip, ip_json, run
from sandbox.host.errors import HostError
from sandbox.host.hosts import HostNames
from sandbox.host.supervisor import Programs
from sandbox.services import Program
from tests.waiting import until

pytestmark = pytest.mark.live

_NODE = network.Node("c1-n1", IPv4Address("10.79.1.10"))


def _reaches(namespace: str | None, address: str) -> bool:
    enter = ["nsenter", f"--net={netns.path(namespace)}"] if namespace else []
    probe = f"import socket; s = socket.socket(); s.settimeout(2); print(s.connect_ex(('{address}', 9)))"
    # Refused (111) is an answer: the machine is there.
    return run([*enter, "python3", "-c", probe]).strip() == "111"


def test_host_gateway_and_nodes_reach_each_other(machine: Config) -> None:
    network.create(machine)
    node = network.add_node(machine, _NODE)
    other = network.add_node(machine, network.Node("c1-n2", IPv4Address("10.79.1.11")))
    assert network.is_up(machine)
    assert _reaches(None, "10.79.0.1")
    assert _reaches(None, "10.79.1.10")
    assert _reaches(node, "10.79.1.11")
    assert _reaches(other, "10.79.0.254")
    assert network.nodes(machine) == ["c1-n1", "c1-n2"]


def test_an_unplugged_node_reaches_nothing_and_keeps_what_it_has(machine: Config) -> None:
    network.create(machine)
    node = network.add_node(machine, _NODE)
    other = network.add_node(machine, network.Node("c1-n2", IPv4Address("10.79.1.11")))
    ip("-n", node, "route", "add", "10.244.1.0/24", "via", "10.79.1.11")
    network.unplug(machine, _NODE)
    network.unplug(machine, _NODE)
    network.unplug(machine, network.Node("none", IPv4Address("10.79.1.99")))
    assert not _reaches(None, "10.79.1.10")
    assert not _reaches(other, "10.79.1.10")
    assert _reaches(other, "10.79.0.254")
    network.add_node(machine, _NODE)
    assert _reaches(None, "10.79.1.10")
    assert _reaches(node, "10.79.1.11")
    assert "10.244.1.0/24" in [route["dst"] for route in ip_json("-n", node, "route")]


def test_only_our_namespaces_forward(machine: Config) -> None:
    host = Path("/proc/sys/net/ipv4/ip_forward")
    before = host.read_text()
    network.create(machine)
    node = network.add_node(machine, _NODE)
    enter = ["nsenter", f"--net={netns.path(node)}"]
    assert run([*enter, "sysctl", "-n", "net.ipv4.ip_forward"]).strip() == "1"
    assert host.read_text() == before


def test_create_repairs_every_half_made_network(machine: Config) -> None:
    def make() -> None:
        network.create(machine)
        network.add_node(machine, _NODE)

    def check() -> None:
        assert network.is_up(machine)
        assert _reaches(None, "10.79.1.10")

    make()
    before = ip_json("addr", "show", "dev", network.host_link(machine))
    make()
    assert ip_json("addr", "show", "dev", network.host_link(machine)) == before
    node = network.node_netns(machine, _NODE.name)
    for damage in (
        ("link", "del", network.host_link(machine)),
        ("addr", "flush", "dev", network.host_link(machine)),
        ("-n", machine.netns, "link", "del", network.BRIDGE),
        ("-n", machine.netns, "addr", "flush", "dev", network.BRIDGE),
        ("-n", node, "link", "del", network.NODE_LINK),
        ("-n", node, "addr", "add", "10.79.9.9/16", "dev", network.NODE_LINK),
    ):
        ip(*damage)
        make()
        check()


def test_a_name_without_its_namespace_is_made_anew(machine: Config) -> None:
    """What a reboot leaves where /run is on disk."""
    netns.FOLDER.mkdir(exist_ok=True)
    netns.path(machine.netns).touch()
    assert not netns.exists(machine.netns)
    network.create(machine)
    assert network.is_up(machine)


def test_addresses_that_the_machine_uses_are_refused_before_anything_is_made(machine: Config) -> None:
    ip("link", "add", "sbxdummy", "type", "bridge")
    try:
        ip("addr", "add", "10.79.3.1/24", "dev", "sbxdummy")
        ip("link", "set", "sbxdummy", "up")
        with pytest.raises(HostError, match=r"10\.79\.3\.\d+.*through sbxdummy.*AGENTS_SANDBOX_NETWORK="):
            network.create(machine)
    finally:
        ip("link", "del", "sbxdummy")
    assert not netns.exists(machine.netns)


def test_remove_takes_pods_nodes_and_links(machine: Config) -> None:
    network.create(machine)
    node = network.add_node(machine, _NODE)
    pod, foreign = f"cni-{machine.netns}", f"cni-other-{machine.netns}"
    for name in (pod, foreign):
        netns.create(name)
    try:
        ip("-n", node, "link", "add", "veth1", "type", "veth", "peer", "name", "eth0", "netns", pod)
        assert network.pods_of(node) == [pod]
        network.remove(machine)
        network.remove(machine)
        assert foreign in netns.names()
        assert not [name for name in netns.names() if name.startswith(machine.netns) or name == pod]
        assert not ip_json("link", "show", "dev", network.host_link(machine))
        assert not [row for row in ip_json("-4", "route") if row["dst"].startswith("10.79.")]
    finally:
        netns.remove(pod)
        netns.remove(foreign)


def test_pods_are_also_found_by_the_processes_in_them(machine: Config) -> None:
    pod = f"cni-{machine.netns}"
    netns.create(pod)
    try:
        assert network.pods_by_inode({netns.inode(pod)}) == [pod]
        assert network.pods_by_inode({1}) == []
    finally:
        netns.remove(pod)


def test_a_version_1_cpuset_is_seeded_and_version_2_delegated(tmp_path: Path) -> None:
    v1, v2 = tmp_path / "cpuset", tmp_path / "unified"
    for folder in (v1, v2, v1 / "box", v1 / "box" / "daemons", v2 / "box"):
        folder.mkdir()
    for folder, cpus in ((v1, "0-3\n"), (v1 / "box", ""), (v1 / "box" / "daemons", "")):
        (folder / "cpuset.cpus").write_text(cpus)
        (folder / "cpuset.mems").write_text("0\n" if cpus else "")
    for folder in (v2, v2 / "box"):
        (folder / "cgroup.controllers").write_text("memory\n")
    Cgroup("box", [Hierarchy(v1, unified=False), Hierarchy(v2, unified=True)]).create()
    assert (v1 / "box" / "daemons" / "cpuset.cpus").read_text() == "0-3\n"
    assert (v2 / "cgroup.subtree_control").read_text() == "+memory"
    assert (v2 / "box" / "cgroup.subtree_control").read_text() == "+memory"


def test_without_any_hierarchy_it_says_so() -> None:
    with pytest.raises(HostError, match="/sys/fs/cgroup"):
        Cgroup("box", []).create()


_STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print(flush=True); time.sleep(999)"
subprocess.Popen([sys.executable, "-c", child], start_new_session=True).wait()
"""


def test_members_end_even_those_that_ignore_it_and_their_orphans(machine: Config) -> None:
    cgroup = Cgroup(machine.cgroup)
    cgroup.create()
    cgroup.create()
    bystander = subprocess.Popen(["sleep", "999"])
    joined = f"from sandbox.host.cgroup import Cgroup; Cgroup('{machine.cgroup}').join()"
    parent = subprocess.Popen(
        ["python3", "-c", joined + _STUBBORN], cwd=Path(__file__).parents[3], stdout=subprocess.PIPE
    )
    try:
        assert parent.stdout is not None
        parent.stdout.readline()
        assert len(cgroup.pids()) == 2
        assert processes.end_all(cgroup.pids, grace=0.2) == 2
        assert cgroup.pids() == set()
        assert bystander.poll() is None
        cgroup.remove()
        cgroup.remove()
        assert not list(Path("/sys/fs/cgroup").glob(f"*/{machine.cgroup}"))
    finally:
        bystander.kill()
        bystander.wait()
        parent.wait()


def test_nothing_to_end_is_no_error() -> None:
    assert processes.end_all(set) == 0


def test_clear_takes_orphans_strays_mounts_and_names(machine: Config, supervised: Programs) -> None:
    """After kill -9 of the supervisor, with a shell of somebody's in the namespace."""
    network.create(machine)
    supervised.start(Program("p", ["sleep", "999"], netns=machine.netns))
    orphan = int(supervised.details()["p"]["pid"])
    HostNames(machine).publish("a.azure79.test")
    stray = subprocess.Popen(["nsenter", f"--net={netns.path(machine.netns)}", "sleep", "999"])
    until(lambda: stray.pid in netns.pids(machine.netns), what="the stray to be inside")
    for name in ("outer", "outer/inner"):
        folder = machine.state / name
        folder.mkdir()
        run(["mount", "-t", "tmpfs", "tmpfs", str(folder)])
    assert socket.gethostbyname("a.azure79.test") == "10.79.0.1"
    os.kill(supervised.pid(), signal.SIGKILL)
    assert clear.clear(machine) >= 2
    assert clear.clear(machine) == 0
    assert stray.wait(10) != 0
    assert session.birth(orphan) is None
    assert mounts.below(machine.state) == []
    assert "azure79.test" not in Path("/etc/hosts").read_text()
    assert not netns.exists(machine.netns)


def test_clear_spares_a_sandbox_whose_name_starts_the_same(machine: Config) -> None:
    other = f"{machine.netns}-2"
    netns.create(other)
    try:
        network.create(machine)
        clear.clear(machine)
        assert netns.exists(other)
    finally:
        netns.remove(other)


def test_state_is_not_removed_under_a_mount(machine: Config) -> None:
    folder = machine.state / "mounted"
    folder.mkdir()
    run(["mount", "-t", "tmpfs", "tmpfs", str(folder)])
    try:
        with pytest.raises(HostError, match="still mounted"):
            clear.remove_state(machine)
    finally:
        attempt(["umount", str(folder)])
    clear.remove_state(machine)
    assert not machine.state.exists()
    machine.state.mkdir()


def test_hosts_files_that_are_bind_mounts_are_written_in_place(machine: Config) -> None:
    """As in containers."""
    source, target = machine.state / "source", machine.state / "hosts"
    source.write_text("127.0.0.1 localhost\n")
    target.touch()
    run(["mount", "--bind", str(source), str(target)])
    try:
        HostNames(machine, target).publish("a.azure79.test")
        assert source.read_text() == target.read_text()
        assert "10.79.0.1 a.azure79.test" in source.read_text()
        HostNames(machine, target).remove_all()
        assert source.read_text() == "127.0.0.1 localhost\n"
        assert not list(machine.state.glob(".hosts.*"))
    finally:
        attempt(["umount", str(target)])


def test_hosts_files_that_cannot_be_written_say_so(machine: Config) -> None:
    folder = machine.state / "readonly"
    folder.mkdir()
    run(["mount", "-t", "tmpfs", "tmpfs", str(folder)])
    try:
        (folder / "hosts").write_text("127.0.0.1 localhost\n")
        run(["mount", "-o", "remount,ro", str(folder)])
        with pytest.raises(HostError, match=r"cannot be written \(Read-only file system\)"):
            HostNames(machine, folder / "hosts").publish("a.azure79.test")
    finally:
        attempt(["umount", str(folder)])


def test_nothing_is_left_over_by_these_tests() -> None:
    """The names that `machine` gives are gone as soon as a test ends."""
    name = f"sbx-test-{os.getpid()}"
    assert not [found for found in netns.names() if found.startswith(name)]
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{name}"))


def test_what_is_the_users_is_given_to_whoever_called_sudo(
    machine: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = pwd.getpwnam("nobody")
    monkeypatch.setenv("SUDO_UID", str(user.pw_uid))
    outside = machine.state / "outside"
    outside.write_text("")
    folder = environment.user_folder(machine)
    (folder / "azure").mkdir(parents=True)
    (folder / "azure" / "link").symlink_to(outside)
    azlogin.give_to_user(folder)
    session.save(machine, session.Session(1.0, 1, 1.0, [], {}, {}))
    Cgroup(machine.cgroup).create()
    supervisor.launch(machine)
    for path in (folder, folder / "azure", session.path(machine), supervisor.socket_path(machine)):
        assert path.stat().st_uid == user.pw_uid
    assert outside.stat().st_uid == 0
    assert stat.S_IMODE(supervisor.socket_path(machine).stat().st_mode) == 0o600
