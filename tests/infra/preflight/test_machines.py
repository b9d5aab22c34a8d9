"""Sizes, cores and Kubernetes versions of the nodes."""

from __future__ import annotations

import pytest

from infra.preflight.checks import (
    kubernetes,
    machines,
)
from infra.preflight.report import State
from tests.infra.preflight import recorded
from tests.infra.preflight.recorded import (
    CLUSTER,
    COMPUTE,
    SUBSCRIPTION,
    Azure,
    found,
    lacking,
    stack,
    states,
)


def test_sizes_in_all_zones(azure: Azure) -> None:
    findings = found(machines.sizes, azure)
    assert states(findings) == [State.OK, State.OK]
    assert findings[1].found == "Standard_D8ads_v5 in westeurope, zones 1 2 3"
    assert azure.asked[0].endswith("&$filter=location%20eq%20%27westeurope%27")


def test_a_size_that_a_zone_lacks_and_one_that_is_alike(azure: Azure) -> None:
    listed = azure.at(f"{COMPUTE}/skus")["value"]
    by_name = {sku["name"]: sku for sku in listed}
    by_name["Standard_D8ads_v5"]["restrictions"] = [recorded.restricted("Zone", zones=["2"])]
    other = recorded.size("Standard_D8ads_v5") | {"name": "Standard_D8as_v5", "family": "standardDASv5Family"}
    listed.append(other)
    finding = lacking(found(machines.sizes, azure))
    assert finding.about == "user nodes' size"
    assert "zones 1 3 only" in finding.found
    assert finding.mend == "pulumi config set --stack prod --path agents:cluster.user.size Standard_D8as_v5"


@pytest.mark.parametrize("how", ["restricted", "absent"])
def test_a_size_that_the_subscription_does_not_get(azure: Azure, how: str) -> None:
    listed = azure.at(f"{COMPUTE}/skus")["value"]
    wanted = next(sku for sku in listed if sku["name"] == "Standard_D4ads_v5")
    if how == "absent":
        listed.remove(wanted)
    else:
        wanted["restrictions"] = [recorded.restricted("Location")]
    finding = lacking(found(machines.sizes, azure))
    assert finding.about == "system nodes' size"
    assert "not offered to this subscription" in finding.found


def test_restrictions_elsewhere_do_not_matter(azure: Azure) -> None:
    for sku in azure.at(f"{COMPUTE}/skus")["value"]:
        sku["restrictions"] = [
            {"type": "Location", "values": ["eastus"], "restrictionInfo": {"locations": ["eastus"]}}
        ]
    assert states(found(machines.sizes, azure)) == [State.OK, State.OK]


def test_upgrades_take_more_nodes_than_the_maximum() -> None:
    assert machines.nodes_at_most(5, "1") == 6
    assert machines.nodes_at_most(12, "33%") == 16
    assert machines.nodes_at_most(3, "33%") == 4


#: prod: (5 + 1) machines of 4 cores and (12 + 4) of 8.
AT_MOST = 24 + 128


@pytest.mark.parametrize(("limit", "state"), [(AT_MOST + 10, State.OK), (AT_MOST + 9, State.MISSING)])
def test_cores_for_everything_the_pools_may_grow_to(azure: Azure, limit: int, state: State) -> None:
    usages = azure.at(f"{COMPUTE}/locations/westeurope/usages")["value"]
    usages[1] |= {"currentValue": 10, "limit": limit}
    region, family = found(machines.cores, azure)
    assert (region.state, family.state) == (State.OK, state)
    if state is State.MISSING:
        assert family.mend == (
            f"az quota update --scope {SUBSCRIPTION}{COMPUTE}/locations/westeurope "
            "--resource-name standardDADSv5Family --resource-type dedicated "
            f"--limit-object value={AT_MOST + 10}"
        )


def test_cores_of_the_region_count_every_family(azure: Azure) -> None:
    azure.at(f"{COMPUTE}/locations/westeurope/usages")["value"][0]["limit"] = AT_MOST - 1
    finding = lacking(found(machines.cores, azure))
    assert finding.about == "cores: region"
    assert "--resource-name cores " in finding.mend


def test_what_the_stack_has_already_is_not_asked_for_again(azure: Azure) -> None:
    azure.put(CLUSTER, recorded.cluster(("Standard_D4ads_v5", 3), ("Standard_D8ads_v5", 10)))
    for usage in azure.at(f"{COMPUTE}/locations/westeurope/usages")["value"]:
        usage |= {"currentValue": 100, "limit": AT_MOST + 8}
    assert states(found(machines.cores, azure)) == [State.OK, State.OK]
    for usage in azure.at(f"{COMPUTE}/locations/westeurope/usages")["value"]:
        usage["limit"] = AT_MOST + 7
    assert states(found(machines.cores, azure)) == [State.MISSING, State.MISSING]


def test_a_quota_that_is_not_listed_is_not_known(azure: Azure) -> None:
    azure.at(f"{COMPUTE}/locations/westeurope/usages")["value"].pop()
    assert states(found(machines.cores, azure)) == [State.OK, State.UNKNOWN]


def test_a_machine_of_unknown_size_has_unknown_cores(azure: Azure) -> None:
    azure.at(f"{COMPUTE}/skus")["value"].clear()
    assert states(found(machines.cores, azure)) == [State.UNKNOWN]


@pytest.mark.parametrize(
    ("wanted", "tier", "state"),
    [
        ("1.34", "Standard", State.OK),
        ("1.34.2", "Standard", State.OK),
        ("1.34.9", "Standard", State.MISSING),
        ("1.35", "Standard", State.MISSING),
        ("1.30", "Standard", State.MISSING),
        ("1.30", "Premium", State.OK),
    ],
)
def test_kubernetes_versions(azure: Azure, wanted: str, tier: str, state: State) -> None:
    cluster = stack().settings.cluster.model_copy(update={"kubernetes_version": wanted, "tier": tier})
    (finding,) = found(kubernetes.version, azure, stack(cluster=cluster))
    assert finding.state is state
    if state is State.MISSING:
        assert finding.mend == "pulumi config set --stack prod --path agents:cluster.kubernetes_version 1.34"
