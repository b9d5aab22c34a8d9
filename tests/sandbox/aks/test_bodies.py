"""What a GET shows beyond what was sent, and what a later PUT leaves as it was."""

from __future__ import annotations

import pytest

from sandbox.aks import bodies, versions
from sandbox.aks.versions import KUBERNETES, MINOR
from sandbox.arm.errors import ArmError
from sandbox.arm.resource import Body
from sandbox.config import TENANT_ID
from sandbox.names import Names
from tests.sandbox.aks.objects import cluster_put

NAMES = Names("azure.test")


def made(properties: Body | None = None, previous: Body | None = None) -> Body:
    return bodies.cluster(cluster_put(properties, previous), NAMES, {})


def test_defaults_are_aks_own() -> None:
    properties = made()["properties"]
    assert properties["currentKubernetesVersion"] == KUBERNETES
    assert properties["nodeResourceGroup"] == "MC_rg_one_westeurope"
    assert properties["fqdn"].endswith(".hcp.westeurope.azmk8s.azure.test")
    assert properties["networkProfile"]["serviceCidr"] == "10.0.0.0/16"
    assert properties["networkProfile"]["podCidrs"] == ["10.244.0.0/16"]
    pool = properties["agentPoolProfiles"][0]
    assert (pool["count"], pool["osSKU"], pool["currentOrchestratorVersion"]) == (1, "Ubuntu", KUBERNETES)


@pytest.mark.parametrize(
    ("profile", "shown"),
    [
        ({"enablePrivateCluster": True}, {"fqdn", "privateFQDN"}),
        ({"enablePrivateCluster": True, "enablePrivateClusterPublicFQDN": False}, {"privateFQDN"}),
        ({"enablePrivateCluster": True, "privateDNSZone": "none"}, {"fqdn"}),
        ({"authorizedIPRanges": ["203.0.113.0/24"]}, {"fqdn"}),
    ],
)
def test_a_private_cluster_is_called_otherwise(profile: Body, shown: set[str]) -> None:
    first = made({"apiServerAccessProfile": dict(profile)})
    again = made({"apiServerAccessProfile": dict(profile)}, previous=first)
    for body in (first, again):
        assert {name for name in ("fqdn", "privateFQDN") if name in body["properties"]} == shown
        assert body["properties"]["azurePortalFQDN"].endswith(".portal.hcp.westeurope.azmk8s.azure.test")
    if "privateFQDN" in shown:
        name = first["properties"]["privateFQDN"]
        assert name == again["properties"]["privateFQDN"]
        assert name.endswith(".privatelink.westeurope.azmk8s.azure.test")
        assert first["properties"]["apiServerAccessProfile"]["privateDNSZone"] == "system"


def test_pods_in_the_nodes_subnet_have_no_network_of_their_own() -> None:
    assert (
        "podCidr" not in made({"networkProfile": {"networkPlugin": "azure"}})["properties"]["networkProfile"]
    )
    assert made({"networkProfile": {"networkPlugin": "kubenet"}})["properties"]["networkProfile"]["podCidr"]


def test_what_identifies_a_cluster_survives_updates() -> None:
    first = made({"oidcIssuerProfile": {"enabled": True}})
    again = made({"oidcIssuerProfile": {"enabled": True}, "dnsPrefix": "other"}, previous=first)
    for name in ("fqdn", "resourceUID", "oidcIssuerProfile"):
        assert again["properties"][name] == first["properties"][name]
    issuer = first["properties"]["oidcIssuerProfile"]["issuerURL"]
    assert issuer.startswith(f"https://westeurope.oic.prod-aks.azure.test/{TENANT_ID}/")
    assert bodies.issuer(first["properties"], NAMES, "westeurope") == issuer


def test_a_cluster_made_anew_has_another_issuer() -> None:
    urls = {made({"oidcIssuerProfile": {"enabled": True}})["properties"]["oidcIssuerProfile"]["issuerURL"]
            for _ in range(2)}  # fmt: skip
    assert len(urls) == 2


def test_the_issuer_is_hidden_until_it_is_enabled_and_then_the_one_it_was() -> None:
    first = made()
    assert "issuerURL" not in (first["properties"].get("oidcIssuerProfile") or {})
    hidden = bodies.issuer(first["properties"], NAMES, "westeurope")
    shown = made({"oidcIssuerProfile": {"enabled": True}}, previous=first)["properties"]["oidcIssuerProfile"]
    assert shown["issuerURL"] == hidden


def test_the_issuer_cannot_be_disabled() -> None:
    first = made({"oidcIssuerProfile": {"enabled": True}})
    with pytest.raises(ArmError, match="cannot be disabled"):
        made({"oidcIssuerProfile": {"enabled": False}}, previous=first)


def test_workload_identity_needs_the_issuer() -> None:
    with pytest.raises(ArmError, match="OIDC issuer"):
        made({"securityProfile": {"workloadIdentity": {"enabled": True}}})


def test_local_accounts_can_only_be_disabled_with_entra() -> None:
    with pytest.raises(ArmError, match="aadProfile"):
        made({"disableLocalAccounts": True})
    profile = made({"disableLocalAccounts": True, "aadProfile": {"managed": True}})["properties"][
        "aadProfile"
    ]
    assert profile["tenantID"] == TENANT_ID


def test_an_inline_profile_keeps_what_it_does_not_say() -> None:
    known = bodies.pool({"vmSize": "Standard_D2s_v5", "count": 3, "nodeLabels": {"a": "b"}}, KUBERNETES)
    again = bodies.pool({"name": "system", "count": 5}, KUBERNETES, known)
    assert (again["count"], again["nodeLabels"], again["vmSize"]) == (5, {"a": "b"}, "Standard_D2s_v5")


def test_a_pool_needs_a_size() -> None:
    with pytest.raises(ArmError, match="vmSize"):
        bodies.pool({}, KUBERNETES)


@pytest.mark.parametrize(
    ("changes", "wanted", "said"),
    [
        ({"count": 1}, True, None),
        ({"count": 3}, True, "1 of 3 nodes run"),
        ({"count": 0}, False, None),
        ({"count": 3, "powerState": {"code": "Stopped"}}, False, None),
    ],
)
def test_a_pool_says_how_many_nodes_really_run(changes: Body, wanted: bool, said: str | None) -> None:
    properties = bodies.pool({"vmSize": "Standard_D2s_v5", **changes}, KUBERNETES)
    assert bodies.wants_node(properties) is wanted
    error = (bodies.with_shortfall(properties).get("status") or {}).get("provisioningError")
    assert (error or {}).get("message", "").partition(":")[0] == (said or "")
    assert "status" not in properties


@pytest.mark.parametrize("asked", [None, "", MINOR, KUBERNETES])
def test_versions_that_run(asked: str | None) -> None:
    assert versions.resolve(asked) == KUBERNETES


@pytest.mark.parametrize("asked", ["1.33", "1.34.99", "latest", "1"])
def test_other_versions_are_refused_with_what_there_is(asked: str) -> None:
    with pytest.raises(ArmError) as caught:
        versions.resolve(asked)
    assert caught.value.code == "K8sVersionNotSupported"
    assert KUBERNETES in caught.value.message


def test_versions_do_not_go_back() -> None:
    versions.check_change("1.34.3", "1.34.4")
    with pytest.raises(ArmError, match="Downgrading"):
        versions.check_change("1.34.10", "1.34.4")
