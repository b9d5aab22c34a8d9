"""`Microsoft.Network/networkInterfaces`: those of private endpoints, which hold their addresses."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from ipaddress import IPv4Address, ip_address

from sandbox.arm.errors import bad_request
from sandbox.arm.handler import Handler
from sandbox.arm.ids import parse_id
from sandbox.arm.resource import Body, Resource
from sandbox.azure.network import addresses
from sandbox.azure.network.inline import etag
from sandbox.network.endpoints import INTERFACES, address_of
from sandbox.services import Store

#: The first usable address of a subnet: Azure keeps the ones before.
_RESERVED = 4


class InterfaceHandler(Handler):
    type = INTERFACES

    async def check_delete(self, resource: Resource) -> None:
        owner = resource.properties.get("privateEndpoint")
        if owner:
            raise bad_request(
                "NicInUseWithPrivateEndpoint",
                f"Network interface {resource.id} is currently in use with a private endpoint "
                f"({owner['id']}).",
            )


def ensure(store: Store, endpoint: Resource, fqdns: list[str]) -> Resource:
    """The endpoint's interface; made, with an address of the subnet, the first time. Raises ArmError when the
    subnet has none left, or not the one that is asked for."""
    known = [store.get(one["id"]) for one in endpoint.properties.get("networkInterfaces") or ()]
    before = next((one for one in known if one is not None), None)
    name = endpoint.properties.get("customNetworkInterfaceName") or f"{endpoint.id.name}.nic.{uuid.uuid4()}"
    id_ = (
        before.id
        if before
        else parse_id(f"{endpoint.id.text.rpartition('/providers/')[0]}/providers/{INTERFACES}/{name}")
    )
    address = address_of(store, endpoint) or _free(store, endpoint)
    now = time.time()
    body: Body = {
        "location": endpoint.location,
        "tags": endpoint.body.get("tags") or {},
        "etag": etag(),
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": before.properties["resourceGuid"] if before else str(uuid.uuid4()),
            "ipConfigurations": [_configuration(str(id_), endpoint, str(address), fqdns)],
            "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
            "enableAcceleratedNetworking": False,
            "enableIPForwarding": False,
            "hostedWorkloads": [],
            "privateEndpoint": {"id": str(endpoint.id)},
            "nicType": "Standard",
        },
    }
    made = Resource(id_, body, before.created_at if before else now, now)
    store.save(made)
    return made


def _configuration(interface: str, endpoint: Resource, address: str, fqdns: list[str]) -> Body:
    name = "privateEndpointIpConfig"
    return {
        "name": name,
        "id": f"{interface}/ipConfigurations/{name}",
        "type": f"{INTERFACES}/ipConfigurations",
        "etag": etag(),
        "properties": {
            "provisioningState": "Succeeded",
            "privateIPAddress": address,
            "privateIPAllocationMethod": "Static" if _asked(endpoint) else "Dynamic",
            "privateIPAddressVersion": "IPv4",
            "primary": True,
            "subnet": {"id": endpoint.properties["subnet"]["id"]},
            "privateLinkConnectionProperties": {"fqdns": fqdns},
        },
    }


def _asked(endpoint: Resource) -> str | None:
    """The address that the endpoint was given by whoever made it."""
    configurations = endpoint.properties.get("ipConfigurations") or [{}]
    found = (configurations[0].get("properties") or {}).get("privateIPAddress")
    return str(found) if found else None


def _free(store: Store, endpoint: Resource) -> IPv4Address:
    subnet_id = endpoint.properties["subnet"]["id"]
    subnet = store.get(subnet_id)
    if subnet is None:
        raise bad_request(
            "InvalidResourceReference", f"There is no subnet {subnet_id}.", "properties.subnet.id"
        )
    whole = addresses.subnet(subnet.id.name, subnet.properties)[0]
    taken = set(_taken(store, subnet.id.key))
    usable = range(int(whole.network_address) + _RESERVED, int(whole.broadcast_address))
    asked = _asked(endpoint)
    if asked is not None:
        if asked in taken or int(ip_address(asked)) not in usable:
            raise bad_request(
                "PrivateIPAddressNotInSubnet" if asked not in taken else "PrivateIPAddressInUse",
                f"The private IP address {asked} is not a free address of subnet {subnet.id.name}.",
                "properties.ipConfigurations",
            )
        return IPv4Address(asked)
    found = next((number for number in usable if str(ip_address(number)) not in taken), None)
    if found is None:
        raise bad_request(
            "SubnetIsFull", f"Subnet {subnet.id.name} has no free address.", "properties.subnet.id"
        )
    return IPv4Address(found)


def _taken(store: Store, subnet: str) -> Iterator[str]:
    for interface in store.list(type=INTERFACES):
        for one in interface.properties.get("ipConfigurations") or ():
            properties = one.get("properties") or {}
            if str((properties.get("subnet") or {}).get("id", "")).lower() == subnet:
                yield str(properties.get("privateIPAddress"))
