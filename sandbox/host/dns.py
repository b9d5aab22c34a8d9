"""The sandbox's name server: CoreDNS on the gateway, port 53.

Published names come first (CoreDNS looks at the file every second); any other name under the suffix is the
gateway, as a wildcard of the zone. Names outside the suffix are refused: there is no internet in here.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.config import Config
from sandbox.host import files
from sandbox.host.hosts import names_file
from sandbox.services import Program

#: Seconds an answer may be kept: a re-created cluster's names change while pods run.
_TTL = 5


def corefile(config: Config) -> str:
    return f"""{config.suffix}:53 {{
    bind {config.gateway}
    hosts "{names_file(config)}" {{
        reload 1s
        ttl {_TTL}
        fallthrough
    }}
    file "{_zone_path(config)}"
    errors
}}
"""


def zone(config: Config) -> str:
    """Everything under the suffix, however many labels deep, is the gateway."""
    return f"""$ORIGIN {config.suffix}.
$TTL {_TTL}
@ IN SOA ns hostmaster 1 3600 600 86400 {_TTL}
@ IN NS ns
@ IN A {config.gateway}
* IN A {config.gateway}
"""


def program(config: Config, coredns: Path) -> Program:
    """Write the configuration; the process to supervise."""
    files.write_if_changed(_zone_path(config), zone(config))
    files.write_if_changed(_corefile_path(config), corefile(config))
    if not names_file(config).exists():
        files.write(names_file(config), "")
    return Program(
        name="dns",
        command=(str(coredns), "-conf", str(_corefile_path(config))),
        netns=config.netns,
    )


def _corefile_path(config: Config) -> Path:
    return config.run / "Corefile"


def _zone_path(config: Config) -> Path:
    return config.run / "zone"
