"""Where the sandbox lives: folders, names, addresses, identities. One frozen value, read once per process.

Everything the sandbox writes lies under `state` (survives `down`) or `cache` (survives `reset`, holds only
what can be built or downloaded again). Nothing else on the machine is touched but one veth, the namespaces
listed here, one cgroup per hierarchy and a marked block in /etc/hosts.
"""

from __future__ import annotations

import os
import pwd
import uuid
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

NAME = "agents-sandbox"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "azure.test")

TENANT_ID = str(uuid.uuid5(_NAMESPACE, "tenant"))
SUBSCRIPTION_ID = str(uuid.uuid5(_NAMESPACE, "subscription"))
REGIONS = ("westeurope", "northeurope", "swedencentral", "germanywestcentral", "eastus2", "centralus")


def invoking_user() -> pwd.struct_passwd:
    """The person at the keyboard: the user behind sudo, else the current one."""
    return pwd.getpwuid(int(os.environ.get("SUDO_UID", os.getuid())))


def _cache() -> Path:
    default = Path(invoking_user().pw_dir) / ".cache" / NAME
    return Path(os.environ.get("AGENTS_SANDBOX_CACHE", default))


def _state() -> Path:
    return Path(os.environ.get("AGENTS_SANDBOX_STATE", f"/var/lib/{NAME}"))


def _suffix() -> str:
    return os.environ.get("AGENTS_SANDBOX_SUFFIX", "azure.test")


def _netns() -> str:
    return os.environ.get("AGENTS_SANDBOX_NETNS", NAME)


def _network() -> IPv4Network:
    text = os.environ.get("AGENTS_SANDBOX_NETWORK", "10.77.0.0/16")
    try:
        network = IPv4Network(text)
    except ValueError as error:
        message = f"AGENTS_SANDBOX_NETWORK={text} is no IPv4 network ({error}); use one like 10.77.0.0/16"
        raise ValueError(message) from None
    if network.prefixlen != 16 or not network.is_private:
        message = f"AGENTS_SANDBOX_NETWORK={text} must be a private /16, like 10.77.0.0/16"
        raise ValueError(message)
    return network


@dataclass(frozen=True)
class Config:
    """The sandbox's coordinates. Addresses lie in one private /16 that exists only inside its namespaces.

    Each can be set by an environment variable: AGENTS_SANDBOX_{SUFFIX,STATE,CACHE,NETWORK,NETNS}.
    """

    suffix: str = field(default_factory=_suffix)
    state: Path = field(default_factory=_state)
    cache: Path = field(default_factory=_cache)
    network: IPv4Network = field(default_factory=_network)
    #: Network namespace of the Azure endpoints; also the name of the cgroup and of the block in /etc/hosts.
    netns: str = field(default_factory=_netns)

    def environment(self) -> dict[str, str]:
        """The variables from which another process reads the same coordinates."""
        return {
            "AGENTS_SANDBOX_SUFFIX": self.suffix,
            "AGENTS_SANDBOX_STATE": str(self.state),
            "AGENTS_SANDBOX_CACHE": str(self.cache),
            "AGENTS_SANDBOX_NETWORK": str(self.network),
            "AGENTS_SANDBOX_NETNS": self.netns,
        }

    @property
    def gateway(self) -> IPv4Address:
        """Where every Azure endpoint and the DNS server listen (on the bridge, inside `netns`)."""
        return self.network[1]

    @property
    def host_address(self) -> IPv4Address:
        """The host's end of the one veth."""
        return self.network[254]

    @property
    def cgroup(self) -> str:
        """Cgroup (below every hierarchy's root) that holds every process the sandbox started."""
        return self.netns

    @property
    def run(self) -> Path:
        """Sockets and pid files; recreated at every start."""
        return self.state / "run"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def database(self) -> Path:
        """SQLite file of the control plane (ARM, Entra ID, names)."""
        return self.state / "azure.db"

    @property
    def ca_certificate(self) -> Path:
        return self.state / "ca" / "ca.pem"

    @property
    def ca_bundle(self) -> Path:
        """The system's trust store plus the sandbox's CA: what clients on the host are pointed at."""
        return self.state / "ca" / "bundle.pem"
