"""AKS's rules on the bodies of clusters and agent pools that no schema expresses. Each raises ArmError."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any

from sandbox.aks.layout import NODE_PREFIX
from sandbox.aks.settings import DEFAULT_DNS, DEFAULT_PODS, DEFAULT_SERVICES
from sandbox.arm.errors import ArmError, bad_request

_POOL_NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
#: https://kubernetes.io/docs/reference/labels-annotations-taints
_TAINT = re.compile(r"[A-Za-z0-9./_-]+(=[A-Za-z0-9._-]*)?:(NoSchedule|PreferNoSchedule|NoExecute)")
_LEAST_PODS, _MOST_PODS, _MOST_NODES = 10, 250, 1000
#: Properties of a pool that only another pool can have otherwise.
_FIXED = ("vmSize", "osType", "osDiskType", "osDiskSizeGB", "maxPods", "vnetSubnetID", "podSubnetID")


def check_profiles(profiles: Sequence[Mapping[str, Any]], *, new: bool) -> None:
    """Inline agent pools. A new cluster needs one that can run the system's pods."""
    path = "properties.agentPoolProfiles"
    if new and not any(profile.get("mode") == "System" for profile in profiles):
        raise bad_request(
            "AgentPoolProfilesInvalid", "Must define at least one system pool in agentPoolProfiles.", path
        )
    names = [str(profile.get("name")) for profile in profiles]
    for name in names:
        if not _POOL_NAME.fullmatch(name):
            raise bad_request(
                "InvalidParameter",
                f"The agent pool name '{name}' is invalid: 1 to 12 lowercase letters and digits, "
                "starting with a letter.",
                f"{path}.name",
            )
        if names.count(name) > 1:
            raise bad_request("InvalidParameter", f"The agent pool name '{name}' is not unique.", path)
    for profile in profiles:
        check_pool(profile, path)


def check_pool(pool: Mapping[str, Any], path: str = "properties") -> None:
    count, most = pool.get("count"), pool.get("maxPods")
    least = 1 if pool.get("mode") == "System" else 0
    if count is not None and not least <= count <= _MOST_NODES:
        raise bad_request(
            "InvalidParameter",
            f"The value of parameter agentPoolProfile.count is {count}; it must be {least} to {_MOST_NODES}.",
            f"{path}.count",
        )
    if most is not None and not _LEAST_PODS <= most <= _MOST_PODS:
        raise bad_request(
            "InvalidParameter",
            f"The value of parameter agentPoolProfile.maxPods is {most}; "
            f"it must be {_LEAST_PODS} to {_MOST_PODS}.",
            f"{path}.maxPods",
        )
    if str(pool.get("osType", "Linux")).lower() != "linux":
        raise bad_request(
            "InvalidParameter",
            "Windows nodes cannot run on this machine; use osType Linux.",
            f"{path}.osType",
        )
    for taint in pool.get("nodeTaints") or []:
        if not _TAINT.fullmatch(taint):
            raise bad_request(
                "InvalidParameter",
                f"The node taint '{taint}' is invalid: `key=value:NoSchedule|PreferNoSchedule|NoExecute`.",
                f"{path}.nodeTaints",
            )
    _check_scaling(pool, path)


def check_unchanged(before: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
    for name in _FIXED:
        value = sent.get(name)
        if value is not None and before.get(name) is not None and value != before[name]:
            raise bad_request(
                "PropertyChangeNotAllowed",
                f"Changing property 'properties.{name}' is not allowed.",
                f"properties.{name}",
            )


def check_network(sent: Mapping[str, Any], *, sandbox: IPv4Network) -> None:
    """`sandbox` is the network that nodes have their addresses from."""
    pods = _network(sent, "podCidr", DEFAULT_PODS)
    services = _network(sent, "serviceCidr", DEFAULT_SERVICES)
    dns = _address(sent, "dnsServiceIP", DEFAULT_DNS)
    path = "properties.networkProfile"
    for name, network in (("podCidr", pods), ("serviceCidr", services)):
        if network.overlaps(sandbox):
            raise bad_request(
                f"{name[0].upper()}{name[1:]}OverlapExistingSubnetsCidr",
                f"The specified {name} {network} conflicts with {sandbox}, where nodes have their addresses.",
                f"{path}.{name}",
            )
    if pods.overlaps(services):
        raise bad_request(
            "PodCidrOverlapServiceCidr",
            f"Pod CIDR {pods} and service CIDR {services} overlap.",
            f"{path}.podCidr",
        )
    if pods.prefixlen > NODE_PREFIX:
        raise bad_request(
            "InvalidNetworkProfile",
            f"Pod CIDR {pods} is too small: every node takes a /{NODE_PREFIX} of it.",
            f"{path}.podCidr",
        )
    if dns not in services or dns in {services[0], services[1]}:
        raise bad_request(
            "InvalidServiceCidrDNSIP",
            f"The dnsServiceIP {dns} must lie within the service CIDR {services}, behind its first address.",
            f"{path}.dnsServiceIP",
        )


def check_access(sent: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
    """The API server access profiles of a PUT and of the cluster as it was (None when new).

    https://learn.microsoft.com/azure/aks/private-clusters and .../api-server-authorized-ip-ranges
    """
    path = "properties.apiServerAccessProfile"
    private = bool(sent.get("enablePrivateCluster"))
    if before is not None and private != bool(before.get("enablePrivateCluster")):
        raise bad_request(
            "PropertyChangeNotAllowed",
            "Changing property 'apiServerAccessProfile.enablePrivateCluster' is not allowed.",
            f"{path}.enablePrivateCluster",
        )
    ranges = sent.get("authorizedIPRanges") or []
    if private and ranges:
        raise bad_request(
            "InvalidParameter",
            "Authorized IP ranges are not supported on private clusters, whose API server has no public "
            "address.",
            f"{path}.authorizedIPRanges",
        )
    for text in ranges:
        try:
            IPv4Network(text)
        except ValueError as error:
            raise bad_request(
                "InvalidParameter",
                f"The authorized IP range '{text}' is no IPv4 address or CIDR range: {error}.",
                f"{path}.authorizedIPRanges",
            ) from error
    without_name = private and sent.get("privateDNSZone") == "none"
    if without_name and sent.get("enablePrivateClusterPublicFQDN") is False:
        raise bad_request(
            "InvalidParameter",
            "A private cluster with the private DNS zone 'none' needs its public FQDN.",
            f"{path}.enablePrivateClusterPublicFQDN",
        )


def check_last_system_pool(others: Sequence[Mapping[str, Any]], name: str) -> None:
    if not any(pool.get("mode") == "System" for pool in others):
        raise ArmError(
            400,
            "OperationNotAllowed",
            f"There has to be at least one system agent pool, so '{name}' cannot be deleted or become a "
            "user pool.",
        )


def _check_scaling(pool: Mapping[str, Any], path: str) -> None:
    if not pool.get("enableAutoScaling"):
        return
    lower, upper = pool.get("minCount"), pool.get("maxCount")
    if lower is None or upper is None or lower > upper:
        raise bad_request(
            "InvalidParameter",
            "enableAutoScaling needs minCount and maxCount, and minCount may not exceed maxCount.",
            f"{path}.minCount",
        )


def _network(sent: Mapping[str, Any], name: str, default: str) -> IPv4Network:
    text = sent.get(name) or default
    try:
        return IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise bad_request(
            "InvalidParameter",
            f"{name} '{text}' is no IPv4 network: {error}.",
            f"properties.networkProfile.{name}",
        ) from error


def _address(sent: Mapping[str, Any], name: str, default: str) -> IPv4Address:
    text = sent.get(name) or default
    try:
        return IPv4Address(text)
    except AddressValueError as error:
        raise bad_request(
            "InvalidParameter",
            f"{name} '{text}' is no IPv4 address: {error}.",
            f"properties.networkProfile.{name}",
        ) from error
