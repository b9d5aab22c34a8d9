"""The sandbox's name server: CoreDNS on the gateway, port 53.

Published names come first (CoreDNS looks at the file every second); any other name under the suffix is the
local Azure, as a wildcard of the zone, but for the internet, which knows published names alone. Names outside
the suffix are refused. What virtual networks resolve otherwise is imported (`sandbox.network.views`).
"""

from __future__ import annotations

from pathlib import Path

from sandbox.config import Config
from sandbox.host import files
from sandbox.host.hosts import names_file
from sandbox.network import addresses
from sandbox.services import Program

#: Seconds an answer may be kept: a re-created cluster's names change while pods run.
_TTL = 5


def corefile(config: Config) -> str:
    common = f"""bind {config.gateway}
    hosts "{names_file(config)}" {{
        reload 1s
        ttl {_TTL}
        fallthrough
    }}
    errors"""
    # The first block whose view fits answers: the one without a view goes last.
    return f"""import "{views_file(config)}*"
{config.suffix}:53 {{
    view internet {{
        expr incidr(client_ip(), '{addresses.INTERNET}')
    }}
    {common}
    file "{empty_zone_file(config)}"
}}
{config.suffix}:53 {{
    {common}
    file "{_zone_path(config)}"
}}
"""


def zone(config: Config) -> str:
    """Everything under the suffix, however many labels deep, is the local Azure."""
    return f"""$ORIGIN {config.suffix}.
$TTL {_TTL}
@ IN SOA ns hostmaster 1 3600 600 86400 {_TTL}
@ IN NS ns
@ IN A {addresses.SERVICES}
* IN A {addresses.SERVICES}
"""


#: A zone of whatever name without any: what nothing else answers does not exist.
_EMPTY = f"""$TTL {_TTL}
@ IN SOA ns hostmaster 1 3600 600 86400 {_TTL}
@ IN NS ns
"""


def program(config: Config, coredns: Path) -> Program:
    """Write the configuration; the process to supervise."""
    files.write_if_changed(_zone_path(config), zone(config))
    files.write_if_changed(empty_zone_file(config), _EMPTY)
    files.write_if_changed(_corefile_path(config), corefile(config))
    if not names_file(config).exists():
        files.write(names_file(config), "")
    return Program(
        name="dns",
        command=(str(coredns), "-conf", str(_corefile_path(config)), "-pidfile", str(pid_file(config))),
        netns=config.netns,
    )


def views_file(config: Config) -> Path:
    """Blocks that go before the others. Without it, there are none."""
    return config.run / "views"


def empty_zone_file(config: Config) -> Path:
    return config.run / "zone.empty"


def pid_file(config: Config) -> Path:
    return config.run / "dns.pid"


def _corefile_path(config: Config) -> Path:
    return config.run / "Corefile"


def _zone_path(config: Config) -> Path:
    return config.run / "zone"
