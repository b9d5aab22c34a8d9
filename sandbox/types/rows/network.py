"""Virtual networks, addresses, private endpoints, DNS."""

from __future__ import annotations

from sandbox.types.armtype import ArmType, NameRule
from sandbox.types.rows.common import DNS_ZONE, NETWORK_64, NETWORK_80, RECORD_TYPES, in_group

_VNET = "Microsoft.Network/virtualNetworks/{virtualNetworkName}"
_NSG = "Microsoft.Network/networkSecurityGroups/{networkSecurityGroupName}"
_ENDPOINT = "Microsoft.Network/privateEndpoints/{privateEndpointName}"
_ZONE = "Microsoft.Network/dnsZones/{zoneName}"
_PRIVATE_ZONE = "Microsoft.Network/privateDnsZones/{privateZoneName}"
#: Wherever a subnet is written out.
_SUBNETS = {"IpamPoolPrefixAllocation.id": "pool.id"}
_RECORD = NameRule(
    r"@|\*|[A-Za-z0-9_*][A-Za-z0-9_.*-]{0,252}", "'@', '*' or 1-253 characters of a relative DNS name"
)

ROWS = (
    ArmType(
        "Microsoft.Network/virtualNetworks",
        in_group(_VNET),
        pulumi="azure-native:network:VirtualNetwork",
        model="azure.mgmt.network:VirtualNetwork",
        name=NETWORK_64,
        long_running="azure-async-operation",
        replace_on=("location",),
        keep_unset=("subnets",),
        renames=_SUBNETS,
    ),
    ArmType(
        "Microsoft.Network/virtualNetworks/subnets",
        in_group(f"{_VNET}/subnets/{{subnetName}}"),
        pulumi="azure-native:network:Subnet",
        model="azure.mgmt.network:Subnet",
        name=NETWORK_80,
        long_running="azure-async-operation",
        renames=_SUBNETS,
    ),
    ArmType(
        "Microsoft.Network/networkSecurityGroups",
        in_group(_NSG),
        pulumi="azure-native:network:NetworkSecurityGroup",
        model="azure.mgmt.network:NetworkSecurityGroup",
        name=NETWORK_80,
        long_running="azure-async-operation",
        replace_on=("location",),
        keep_unset=("securityRules",),
    ),
    ArmType(
        "Microsoft.Network/networkSecurityGroups/securityRules",
        in_group(f"{_NSG}/securityRules/{{securityRuleName}}"),
        pulumi="azure-native:network:SecurityRule",
        model="azure.mgmt.network:SecurityRule",
        name=NETWORK_80,
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.Network/routeTables",
        in_group("Microsoft.Network/routeTables/{routeTableName}"),
        pulumi="azure-native:network:RouteTable",
        model="azure.mgmt.network:RouteTable",
        name=NETWORK_80,
        long_running="azure-async-operation",
        replace_on=("location",),
        keep_unset=("routes",),
    ),
    ArmType(
        "Microsoft.Network/publicIPAddresses",
        in_group("Microsoft.Network/publicIPAddresses/{publicIpAddressName}"),
        pulumi="azure-native:network:PublicIPAddress",
        model="azure.mgmt.network:PublicIPAddress",
        name=NETWORK_80,
        long_running="azure-async-operation",
        replace_on=("location", "publicIPAddressVersion", "sku"),
    ),
    ArmType(
        "Microsoft.Network/natGateways",
        in_group("Microsoft.Network/natGateways/{natGatewayName}"),
        pulumi="azure-native:network:NatGateway",
        model="azure.mgmt.network:NatGateway",
        name=NETWORK_80,
        long_running="azure-async-operation",
        replace_on=("location", "sku", "zones"),
    ),
    ArmType(
        "Microsoft.Network/networkInterfaces",
        in_group("Microsoft.Network/networkInterfaces/{networkInterfaceName}"),
        pulumi="azure-native:network:NetworkInterface",
        model="azure.mgmt.network:NetworkInterface",
        name=NETWORK_80,
        long_running="azure-async-operation",
        replace_on=("location",),
        renames=_SUBNETS,
    ),
    ArmType(
        "Microsoft.Network/privateEndpoints",
        in_group(_ENDPOINT),
        pulumi="azure-native:network:PrivateEndpoint",
        model="azure.mgmt.network:PrivateEndpoint",
        name=NETWORK_64,
        long_running="azure-async-operation",
        replace_on=("location", "subnet"),
        renames=_SUBNETS,
    ),
    ArmType(
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
        in_group(f"{_ENDPOINT}/privateDnsZoneGroups/{{privateDnsZoneGroupName}}"),
        pulumi="azure-native:network:PrivateDnsZoneGroup",
        model="azure.mgmt.network:PrivateDnsZoneGroup",
        name=NETWORK_80,
        long_running="azure-async-operation",
    ),
    ArmType(
        "Microsoft.Network/dnsZones",
        in_group(_ZONE),
        pulumi="azure-native:dns:Zone",
        model="azure.mgmt.dns:Zone",
        name=DNS_ZONE,
        replace_on=("location",),
    ),
    ArmType(
        "Microsoft.Network/dnsZones/{recordType}",
        in_group(f"{_ZONE}/{{recordType}}/{{relativeRecordSetName}}"),
        pulumi="azure-native:dns:RecordSet",
        model="azure.mgmt.dns:RecordSet",
        name=_RECORD,
        record_types=RECORD_TYPES,
        renames={
            "RecordSet.dsRecords": "properties.DSRecords",
            "RecordSet.naptrRecords": "properties.NAPTRRecords",
            "RecordSet.tlsaRecords": "properties.TLSARecords",
        },
    ),
    ArmType(
        "Microsoft.Network/privateDnsZones",
        in_group(_PRIVATE_ZONE),
        pulumi="azure-native:privatedns:PrivateZone",
        model="azure.mgmt.privatedns:PrivateZone",
        name=DNS_ZONE,
        long_running="azure-async-operation",
        replace_on=("location",),
    ),
    ArmType(
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        in_group(f"{_PRIVATE_ZONE}/virtualNetworkLinks/{{virtualNetworkLinkName}}"),
        pulumi="azure-native:privatedns:VirtualNetworkLink",
        model="azure.mgmt.privatedns:VirtualNetworkLink",
        name=NETWORK_80,
        long_running="azure-async-operation",
        replace_on=("location", "virtualNetwork"),
    ),
    ArmType(
        "Microsoft.Network/privateDnsZones/{recordType}",
        in_group(f"{_PRIVATE_ZONE}/{{recordType}}/{{relativeRecordSetName}}"),
        pulumi="azure-native:privatedns:PrivateRecordSet",
        model="azure.mgmt.privatedns:RecordSet",
        name=_RECORD,
        record_types=("A", "AAAA", "CNAME", "MX", "PTR", "SOA", "SRV", "TXT"),
    ),
)
