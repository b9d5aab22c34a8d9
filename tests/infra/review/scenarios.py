"""Changes to a small program, and how the engine is to preview them. Shared by the engine's tests, which make
the samples, and the fast tests, which read them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SAMPLES = Path(__file__).parent / "samples"

PROGRAM = """
import pulumi

def azure(kind, name, inputs, **options):
    inputs = {"resourceGroupName": "rg", **inputs}
    return pulumi.CustomResource(f"azure-native:{kind}", name, inputs, pulumi.ResourceOptions(**options))

def vault(name, vault_name, **options):
    properties = {
        "tenantId": "11111111-1111-1111-1111-111111111111",
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
    }
    inputs = {"vaultName": vault_name, "properties": properties}
    if vault_name is None:  # Azure's provider makes a name up, so that the new one can be made first
        inputs = {"location": "westeurope", "properties": properties}
    return azure("keyvault:Vault", name, inputs, **options)

cosmos = azure(
    "cosmosdb:DatabaseAccount",
    "cosmos",
    {
        "accountName": "cosmos-one",
        "location": "westeurope",
        "databaseAccountOfferType": "Standard",
        "locations": [{"locationName": "westeurope", "failoverPriority": 0}],
        "tags": {"environment": "prod"},
    },
)
azure(
    "cosmosdb:SqlResourceSqlContainer",
    "events",
    {
        "accountName": "cosmos-one",
        "databaseName": "AgentsDB",
        "containerName": "Events",
        "resource": {"id": "Events", "partitionKey": {"paths": ["/agent"], "kind": "Hash"}},
    },
)
vault("vault", "kv-one")
vault("kept", "kv-kept", retain_on_delete=True)
vault("safe", "kv-safe", protect=True)
azure("managedidentity:UserAssignedIdentity", "identity", {"resourceName": "id-one"})
vault("unnamed", None)
"""


@dataclass(frozen=True)
class Scenario:
    """`changes`: pairs of texts, of which the second replaces the first in the program."""

    name: str
    changes: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()
    #: Settings of the stack.
    config: tuple[tuple[str, str], ...] = ()
    #: A path, below the resource group, of what somebody else has deleted.
    gone: str = ""
    #: Whether the policy pack judges it as well.
    policies: bool = False
    #: Name of a resource of which an interrupted replacement has left the old one.
    left_over: str = ""

    @property
    def program(self) -> str:
        text = PROGRAM
        for before, after in self.changes:
            assert before in text, before
            text = text.replace(before, after)
        return text

    @property
    def plan(self) -> Path:
        return SAMPLES / f"{self.name}.json"

    @property
    def events(self) -> Path:
        return SAMPLES / f"{self.name}.events.json"


ACCOUNT = "cosmos-one"
VAULT = 'vault("vault", "kv-one")\n'
KEPT = 'vault("kept", "kv-kept", retain_on_delete=True)\n'
SAFE = 'vault("safe", "kv-safe", protect=True)\n'
VAULT_URN = "urn:pulumi:prod::trial::azure-native:keyvault:Vault::vault"
_ACKNOWLEDGED = f'[{{"urn": "{VAULT_URN}", "reason": "its secrets moved to kv-kept"}}]'

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("unchanged"),
        Scenario("created", ((VAULT, VAULT + 'vault("second", "kv-two")\n'),)),
        Scenario(
            "updated", (('"environment": "prod"', '"environment": "prod", "owner": "agents"'),), policies=True
        ),
        Scenario("harmless_replace", (('"id-one"', '"id-two"'),)),
        Scenario("account_renamed", ((f'"{ACCOUNT}",\n        "loc', '"cosmos-two",\n        "loc'),)),
        Scenario(
            "made_before_deleted", (('"location": "westeurope", "prop', '"location": "northeurope", "prop'),)
        ),
        Scenario("partition_key", (('["/agent"]', '["/tenant"]'),)),
        Scenario("removed", ((VAULT, ""),)),
        Scenario("renamed", ((VAULT, 'vault("secrets", "kv-one")\n'),)),
        Scenario(
            "renamed_with_alias",
            ((VAULT, 'vault("secrets", "kv-one", aliases=[pulumi.Alias(name="vault")])\n'),),
        ),
        Scenario("retained_removed", ((KEPT, ""),)),
        Scenario("retained_replaced", ((KEPT, KEPT.replace("kv-kept", "kv-else")),)),
        Scenario("protected_removed", ((SAFE, ""),)),
        Scenario("protected_replaced", ((SAFE, SAFE.replace("kv-safe", "kv-else")),)),
        Scenario("acknowledged", ((VAULT, ""),), config=(("review:acknowledged", _ACKNOWLEDGED),)),
        Scenario("vanished", arguments=("--refresh",), gone="providers/Microsoft.KeyVault/vaults/kv-one"),
        Scenario("left_over", left_over="vault"),
        Scenario("broken_program", ((VAULT, "raise LookupError('no such setting')\n"),)),
    )
}
