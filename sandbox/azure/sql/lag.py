"""How far a replica is kept behind its primary: what a forced failover then loses, and a drill measures.

It holds as long as the link does: a failover, or an outage of either region, ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.azure.sql.estate import estate_of
from sandbox.control import Command
from sandbox.services import Services

#: Seconds; over an hour the link would hold more of the log than memory should.
_LONGEST = 3600.0


def commands(services: Services) -> Mapping[str, Command]:
    """`sql lag` takes `server`, the replica's name, and `seconds`."""

    def lag(given: dict[str, Any]) -> dict[str, Any]:
        server, seconds = str(given.get("server")), float(given.get("seconds") or 0.0)
        if not 0 <= seconds <= _LONGEST:
            raise ValueError(f"a lag is from 0 to {_LONGEST:g} seconds, not {seconds:g}")
        link = estate_of(services).links.get(server)
        if link is None:
            raise ValueError(f"the server '{server}' is no replica that follows a primary now")
        link.lag = seconds
        return {"server": server, "seconds": seconds}

    return {"sql lag": lag}
