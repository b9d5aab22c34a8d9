"""CNI plugin, the last in a pod's chain: the pod's network is ready once its policies are in force.

It tells the cluster's controller, over a socket of the sandbox, which address the pod has, and waits for the
answer; without one, the kubelet tries again. Standard library only: it starts once per pod.
https://github.com/containernetworking/cni/blob/main/SPEC.md
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

#: Seconds for the rules to be in force on every node.
_PATIENCE = 20.0
_VERSIONS = ("0.3.1", "0.4.0", "1.0.0")


def main() -> int:
    """Exit code; what the kubelet reads goes to standard output."""
    command = os.environ.get("CNI_COMMAND", "")
    if command == "VERSION":
        print(json.dumps({"cniVersion": _VERSIONS[-1], "supportedVersions": _VERSIONS}))  # noqa: T201
        return 0
    config = json.load(sys.stdin)
    if command != "ADD":
        return 0
    try:
        announce(config["socket"], announcement(os.environ.get("CNI_ARGS", ""), config["prevResult"]))
    except (OSError, KeyError, ValueError) as error:
        message = f"the network policies of the pod cannot be put in force: {error!r}"
        print(json.dumps({"cniVersion": config.get("cniVersion"), "code": 11, "msg": message}))  # noqa: T201
        return 1
    print(json.dumps({**config["prevResult"], "cniVersion": config.get("cniVersion")}))  # noqa: T201
    return 0


def announcement(arguments: str, result: dict[str, Any]) -> dict[str, str]:
    """Which pod has which address. Raises KeyError or ValueError when that is not said."""
    given = dict(part.partition("=")[::2] for part in arguments.split(";"))
    addresses = [one["address"].partition("/")[0] for one in result["ips"]]
    return {
        "uid": given["K8S_POD_UID"],
        "address": next(one for one in addresses if ":" not in one),
    }


def announce(path: str, message: dict[str, str]) -> None:
    """Return when the controller has answered that it is done. Raises OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(path)
        connection.sendall(json.dumps(message).encode() + b"\n")
        if connection.recv(16) != b"done\n":
            raise ConnectionError("the controller did not answer")


if __name__ == "__main__":
    sys.exit(main())
