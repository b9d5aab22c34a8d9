"""A node's containerd: its configuration, its pod network, its images.

Version 1.6 (Debian's). Paths are the usual ones: the node's mount namespace makes them its own.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path

from sandbox.aks import mounts
from sandbox.aks.files import write
from sandbox.aks.layout import NodeLayout
from sandbox.aks.shell import run

SOCKET = "/run/containerd/containerd.sock"
PAUSE = "registry.k8s.io/pause:3.6"
#: Where Debian's containernetworking-plugins installs.
CNI_PLUGINS = "/usr/lib/cni"
_POLICY_PLUGIN = "network-policy"


def configure(node: NodeLayout, pods: IPv4Network, *, policies: bool) -> Path:
    """Write everything containerd reads; the path of its main file. `pods` is the cluster's network of pods;
    with `policies`, pods start once their network policies are in force."""
    folder = node.folder / "etc"
    _link_plugins(folder / "cni-plugins")
    write(folder / "cni" / "10-azure.conflist", json.dumps(_pod_network(node, pods, policies), indent=2))
    write(folder / "containerd.toml", _toml(folder))
    return folder / "containerd.toml"


def command(node: NodeLayout) -> list[str]:
    return mounts.enter(
        node.mount_namespace, "containerd", "--config", str(node.folder / "etc" / "containerd.toml")
    )


def import_images(node: NodeLayout, archives: Mapping[str, Path]) -> None:
    """Load image archives, by the reference each holds; what was loaded from the same file is left alone.

    Raises CommandError, also while containerd does not listen yet.
    """
    record = node.folder / "disk" / "images.json"
    held = set(ctr(node, "images", "list", "--quiet").split())
    loaded = json.loads(record.read_text()) if record.is_file() else {}
    for reference, path in archives.items():
        if reference in held and loaded.get(reference) == str(path):
            continue
        ctr(node, "images", "import", str(path))
        # So that the kubelet never removes it to make room.
        ctr(node, "images", "label", reference, "io.cri-containerd.pinned=pinned")
        loaded[reference] = str(path)
        write(record, json.dumps(loaded))


def ctr(node: NodeLayout, *arguments: str) -> str:
    enter = mounts.enter(node.mount_namespace, "ctr", "--address", SOCKET, "--namespace", "k8s.io")
    return run(*enter, *arguments, timeout=300)


def _toml(folder: Path) -> str:
    return f"""version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
# Without it, containerd would run on without its Kubernetes half.
required_plugins = ["io.containerd.grpc.v1.cri"]
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]

[grpc]
  address = "{SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  # runc may not lower a score inside a machine that already raised it.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{folder / "cni-plugins"}"
    conf_dir = "{folder / "cni"}"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""


def _link_plugins(folder: Path) -> None:
    """Debian's plugins, and our own beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for plugin in Path(CNI_PLUGINS).iterdir():
        if not (folder / plugin.name).is_symlink():
            (folder / plugin.name).symlink_to(plugin)
    run_ = f"exec {shlex.quote(sys.executable)} -I -S {shlex.quote(str(_plugin_file()))}\n"
    write(folder / _POLICY_PLUGIN, f"#!/bin/sh\n{run_}", mode=0o755)


def _plugin_file() -> Path:
    return Path(__file__).parent / "networkpolicy" / "plugin.py"


def _pod_network(node: NodeLayout, pods: IPv4Network, policies: bool) -> dict[str, object]:
    # Point to point, not bridged: pods of one node are routed like those of two, so that kube-proxy's rules
    # see every packet without the kernel's bridge filter.
    own = node.pod_network(pods)
    waits = {"type": _POLICY_PLUGIN, "socket": str(node.cluster.policy_socket)}
    return {
        "cniVersion": "0.4.0",
        "name": "azure",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    # The last address is the ingress controller's.
                    "ranges": [[{"subnet": str(own), "rangeEnd": str(own[-3])}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                    # Leases live as long as the pods' namespaces: in memory.
                    "dataDir": "/run/cni",
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True},
            *([waits] if policies else []),
        ],
    }
