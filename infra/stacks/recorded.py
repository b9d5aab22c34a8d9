"""What data the stack's last update had: asked of the stack's own state, which no resource shows.

A component that holds data registers an output `holds`: the name of each account or database, and the id
that Azure gave to that one and gives to no other; of what was restored also `madeOf`, whose history it was
made of, which Azure does not say of a database. A refresh takes resources that are gone out of the state,
but not their component; `pulumi destroy` takes both. So this tells what was deleted behind Pulumi's back
from what was destroyed on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from infra.settings.restores import Service

#: A function that every engine has: https://github.com/pulumi/pulumi, pkg/resource/deploy/builtins.go.
_READ_STATE = "pulumi:pulumi:readStackResourceOutputs"
#: The components of each service, by type.
_SERVICES: Mapping[str, Service] = {
    "agents:azure:Cosmos": "cosmos",
    "agents:azure:RestoredCosmos": "cosmos",
    "agents:azure:Sql": "sql",
}
#: What runs agents; a component leaves the state after all that is in it.
AGENTS = "agents:workload:Workload"


@dataclass(frozen=True)
class Recorded:
    """`name`: of an account or a database. `identity`: an account's instance id, a database's id.

    `made_of`: a restore's `Restore.made_of`; empty for what was not restored, or before that was recorded.
    """

    service: Service
    name: str
    identity: str
    made_of: str = ""

    @property
    def title(self) -> str:
        """Its kind and name."""
        return f"{'database' if self.service == 'sql' else 'account'} {self.name}"


def read() -> list[Recorded]:
    """Nothing for a stack that was never up, or is destroyed."""
    return list(parse(_outputs()))


def has_agents() -> bool:
    """Whether the stack's last update left any of them, or was ended before the last had gone."""
    return any(resource["type"] == AGENTS for resource in _outputs().values())


def _outputs() -> Mapping[str, Any]:
    """Type and outputs of the state's resources by URN."""
    own = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    answer = pulumi.runtime.invoke(_READ_STATE, {"stackName": own}).value or {}
    return answer.get("outputs") or {}


def parse(outputs: Mapping[str, Any]) -> Iterator[Recorded]:
    """From the type and outputs of a state's resources by URN; one entry for each account and database."""
    for _, resource in sorted(outputs.items()):
        service = _SERVICES.get(resource["type"])
        known = resource.get("outputs") or {}
        held, made_of = known.get("holds"), known.get("madeOf") or {}
        for name, identity in held.items() if isinstance(held, Mapping) else ():
            if service and isinstance(identity, str) and identity:
                yield Recorded(service, name, identity.lower(), str(made_of.get(name, "")))
