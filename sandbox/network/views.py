"""The plan as CoreDNS's configuration: a view for every network that has names of its own.

A view says what differs; for the rest it asks the same name server as anybody, whose blocks
`sandbox.host.dns` writes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sandbox.config import Config
from sandbox.host.dns import empty_zone_file
from sandbox.network.plan import Plan, View

#: Seconds an answer may be kept.
_TTL = 5
#: Below the suffix: answers with the digest of the views in force.
_DIGEST = "views"


def digest_name(config: Config) -> str:
    return f"{_DIGEST}.{config.suffix}"


def render(config: Config, plan: Plan) -> tuple[str, str]:
    """(configuration, digest). CoreDNS answers the digest to a TXT question for `digest_name`."""
    text = "".join(_view(config, number, view) for number, view in enumerate(plan.views))
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    name = digest_name(config)
    block = [
        f"bind {config.gateway}",
        "template IN TXT {",
        f'    answer "{{{{ .Name }}}} 0 IN TXT {digest}"',
        "}",
    ]
    return text + _block(f"{name}:53", block), digest


def _view(config: Config, number: int, view: View) -> str:
    clients = ", ".join(f"'{address}'" for address in view.clients)
    own = sorted({zone for name in view.names if (zone := _outside(name, config.suffix))})
    common = [
        f"bind {config.gateway}",
        f"view network{number} {{",
        f"    expr client_ip() in [{clients}]",
        "}",
        # Records are in the configuration: a file of them would be read with a delay.
        "hosts /dev/null {",
        *(f"    {address} {name}" for name, address in view.names.items()),
        f"    ttl {_TTL}",
        "    no_reverse",
        "    fallthrough",
        "}",
        "errors",
    ]
    inside = _block(f"{config.suffix}:53", [*common, f"forward . {config.gateway}"])
    nothing = f'file "{empty_zone_file(config)}"'
    others = "".join(_block(f"{zone}:53", [*common, nothing]) for zone in own)
    return f"# {view.network}\n{inside}{others}"


def _outside(name: str, suffix: str) -> str | None:
    """The zone of a name that is not the sandbox's own."""
    return None if name.endswith(f".{suffix}") else name.partition(".")[2]


def _block(name: str, lines: Iterable[str]) -> str:
    return f"{name} {{\n" + "".join(f"    {line}\n" for line in lines) + "}\n"
