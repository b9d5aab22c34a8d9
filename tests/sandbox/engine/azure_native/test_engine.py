"""The provider under a real engine, on a fake ARM."""

import json
import re

from sandbox.arm.errors import ArmError
from sandbox.engine.azure_native.journal import Journal
from tests.sandbox.engine.azure_native.fake_arm import GROUP, FakeArm
from tests.sandbox.engine.conftest import Project

VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/net"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-one"

# Without the SDK's classes, which take seconds to import.
VAULT_PROGRAM = """
    import pulumi
    tags = pulumi.Config().get_object("tags")
    location = None
    vault = pulumi.CustomResource(
        "azure-native:keyvault:Vault",
        "kv",
        {
            "vaultName": "kv-one",
            "resourceGroupName": "rg",
            "location": location,
            "tags": tags,
            "properties": {
                "tenantId": "11111111-1111-1111-1111-111111111111",
                "sku": {"family": "A", "name": "standard"},
                "enableRbacAuthorization": True,
            },
        },
        opts=None,
    )
    pulumi.export("id", vault.id)
"""


def test_a_stack_goes_up_stays_and_goes_down(azure: Project, arm: FakeArm) -> None:
    azure.write(
        """
        import pulumi
        from pulumi_azure_native import resources, storage
        group = resources.ResourceGroup("group", location="northeurope")
        net = pulumi.CustomResource(
            "azure-native:network:VirtualNetwork",
            "net",
            {
                "resourceGroupName": group.name,
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [{"name": "a", "addressPrefix": "10.0.0.0/24"}],
            },
        )
        account = storage.StorageAccount(
            "account",
            resource_group_name=group.name,
            kind="StorageV2",
            sku=storage.SkuArgs(name="Standard_LRS"),
            enable_https_traffic_only=True,
        )
        queue = storage.Queue("jobs", account_name=account.name, resource_group_name=group.name)
        pulumi.export("sku", account.sku.name)
        pulumi.export("queue", queue.id)
        """
    )
    azure.pulumi("preview")
    assert not arm.bodies()
    azure.up()
    assert azure.outputs()["sku"] == "Standard_LRS"
    bodies = {path.split("/")[-2]: body for path, body in arm.bodies()}
    network = bodies["virtualNetworks"]
    assert network["location"] == "northeurope"
    assert network["properties"]["addressSpace"] == {"addressPrefixes": ["10.0.0.0/16"]}
    (subnet,) = network["properties"]["subnets"]
    assert subnet["name"] == "a"
    assert subnet["properties"]["addressPrefix"] == "10.0.0.0/24"
    assert bodies["storageAccounts"]["properties"] == {"supportsHttpsTrafficOnly": True}
    queue = azure.outputs()["queue"].split("/")
    assert queue[-1] == "jobs"
    account = queue[8]
    assert account.startswith("account")
    assert len(account) == len("account") + 8
    azure.pulumi("preview", "--expect-no-changes")
    azure.pulumi("up", "--yes", "--refresh", "--expect-no-changes")
    azure.pulumi("destroy", "--yes")
    assert list(arm.resources) == [GROUP.lower()]


def test_the_location_is_the_groups(azure: Project) -> None:
    azure.write(VAULT_PROGRAM)
    azure.up()
    assert azure.resource("kv")["outputs"]["location"] == "westeurope"


def test_an_update_puts_the_whole_body(azure: Project, arm: FakeArm) -> None:
    azure.write(VAULT_PROGRAM)
    azure.up()
    arm.resources[VAULT.lower()]["properties"]["accessPolicies"] = []
    azure.pulumi("config", "set", "--path", "tags.a", "b")
    azure.up()
    path, body = arm.bodies()[-1]
    assert path == VAULT
    assert body["tags"] == {"a": "b"}
    assert body["properties"]["accessPolicies"] == []
    assert body["properties"]["enableRbacAuthorization"] is True


def test_an_existing_resource_is_not_taken_over(azure: Project, arm: FakeArm) -> None:
    arm.resources[VAULT.lower()] = {"id": VAULT, "name": "kv-one", "location": "westeurope"}
    azure.write(VAULT_PROGRAM)
    assert f"cannot create already existing resource '{VAULT}'" in azure.up(fails=True)
    assert not arm.bodies()


def test_a_creation_whose_engine_vanished_is_adopted(azure: Project, arm: FakeArm, journal: Journal) -> None:
    arm.resources[VAULT.lower()] = {"id": VAULT, "name": "kv-one", "location": "westeurope"}
    journal.begin("urn:pulumi:test::trial::azure-native:keyvault:Vault::kv", VAULT)
    azure.write(VAULT_PROGRAM)
    azure.up()
    assert azure.resource("kv")["id"] == VAULT
    azure.pulumi("preview", "--expect-no-changes")
    assert json.loads(journal._path.read_text()) == []


def test_a_misspelt_property_is_named(azure: Project) -> None:
    azure.write(
        """
        import pulumi
        pulumi.CustomResource(
            "azure-native:keyvault:Vault",
            "kv",
            {"resourceGroupName": "rg", "properties": {"tenantId": "t", "skuu": {"family": "A"}}},
        )
        """
    )
    output = azure.pulumi("preview", fails=True)
    assert "'properties.skuu' is not a known property; did you mean 'sku'?" in output
    assert "missing required property 'properties.sku'" in output


def test_what_arm_refuses_is_told_with_resource_property_and_reason(azure: Project) -> None:
    azure.write(VAULT_PROGRAM.replace('"family": "A"', '"family": "Z"'))
    output = azure.up(fails=True)
    assert f"creating {VAULT}: Status=400" in output
    assert 'Property="properties.sku.family"' in output
    assert "Allowed values are: A" in output


def test_a_failed_operation_keeps_the_resource_in_the_state(azure: Project, arm: FakeArm) -> None:
    arm.broken[VNET.lower()] = ArmError(409, "SubnetConflict", "the subnets overlap", "properties.subnets[0]")
    azure.write(
        """
        import pulumi
        properties = {
            "virtualNetworkName": "net",
            "resourceGroupName": "rg",
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "a", "addressPrefix": "10.0.0.0/24"}],
        }
        pulumi.CustomResource("azure-native:network:VirtualNetwork", "net", properties)
        """
    )
    output = azure.up(fails=True)
    assert 'Code="SubnetConflict"' in output
    assert 'Property="subnets[0]"' in output
    assert azure.resource("net")["id"] == VNET
    arm.broken.clear()
    azure.up()
    azure.pulumi("preview", "--expect-no-changes")


def test_a_resource_that_takes_too_long_is_kept(azure: Project, arm: FakeArm) -> None:
    arm.polls, arm.wait = 10**9, "1"
    arm.broken[VAULT.lower()] = ArmError(500, "Never", "never")
    limit = 'pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="1s"))'
    azure.write(VAULT_PROGRAM.replace("opts=None", f"opts={limit}"))
    output = azure.up(fails=True)
    assert f"creating {VAULT}: not done within 1 s; Azure goes on with it" in output
    assert azure.resource("kv")["id"] == VAULT


def test_drift_and_deletion_are_noticed(azure: Project, arm: FakeArm) -> None:
    azure.write(VAULT_PROGRAM)
    azure.up()
    arm.resources[VAULT.lower()]["properties"]["enableRbacAuthorization"] = False
    azure.pulumi("refresh", "--yes")
    assert "~ enableRbacAuthorization: false => true" in azure.pulumi("preview", "--diff")
    azure.up()
    assert arm.resources[VAULT.lower()]["properties"]["enableRbacAuthorization"] is True
    del arm.resources[VAULT.lower()]
    azure.up("--refresh")
    assert VAULT.lower() in arm.resources


def test_a_change_that_azure_cannot_make_replaces(azure: Project, arm: FakeArm) -> None:
    azure.write(VAULT_PROGRAM)
    azure.up()
    azure.write(VAULT_PROGRAM.replace("kv-one", "kv-two"))
    output = azure.pulumi("preview", "--diff")
    assert "+-" in output
    assert re.search(r'vaultName *: "kv-one" => "kv-two"', output)
    arm.requests.clear()
    azure.up()
    changing = [(verb, path) for verb, path, _ in arm.requests if verb in {"PUT", "DELETE"}]
    # The name is the program's own, so the old one goes first.
    assert changing == [("DELETE", VAULT), ("PUT", VAULT.replace("kv-one", "kv-two"))]


def test_an_existing_resource_is_imported(azure: Project, arm: FakeArm) -> None:
    azure.write(VAULT_PROGRAM)
    azure.up()
    azure.pulumi("state", "delete", "--yes", azure.resource("kv")["urn"])
    importing = f'opts=pulumi.ResourceOptions(import_="{VAULT}")'
    azure.write(VAULT_PROGRAM.replace("opts=None", importing))
    arm.requests.clear()
    azure.up()
    assert not arm.bodies()
    assert azure.resource("kv")["inputs"]["vaultName"] == "kv-one"
    azure.write(VAULT_PROGRAM)
    azure.pulumi("preview", "--expect-no-changes")


def test_functions_reach_arm(azure: Project, arm: FakeArm) -> None:
    cluster = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks"
    arm.resources[cluster.lower()] = {
        "id": cluster,
        "name": "aks",
        "location": "westeurope",
        "properties": {"dnsPrefix": "aks", "autoScalerProfile": {"scan-interval": "10s"}},
    }
    azure.write(
        """
        import pulumi
        from pulumi_azure_native import authorization, containerservice
        where = {"resource_group_name": "rg", "resource_name": "aks"}
        cluster = containerservice.get_managed_cluster(**where)
        pulumi.export("interval", cluster.auto_scaler_profile.scan_interval)
        pulumi.export("id", cluster.id)
        pulumi.export("config", authorization.get_client_config().object_id)
        token = "azure-native:containerservice:listManagedClusterUserCredentials"
        arguments = {"resourceGroupName": "rg", "resourceName": "aks", "format": "exec"}
        pulumi.export("list", pulumi.runtime.invoke(token, arguments).value)
        """
    )
    azure.up()
    outputs = azure.outputs()
    assert outputs["interval"] == "10s"
    assert outputs["id"] == cluster
    assert outputs["config"] == "o"
    assert outputs["list"]["action"] == "listClusterUserCredential"
    assert outputs["list"]["query"] == {"format": "exec", "api-version": "2025-09-01"}


def test_a_secret_input_stays_secret(azure: Project) -> None:
    azure.write(
        """
        import pulumi
        where = {"secretName": "one", "vaultName": "kv-one", "resourceGroupName": "rg"}
        properties = {"value": pulumi.Output.secret("hidden-value")}
        pulumi.CustomResource("azure-native:keyvault:Secret", "secret", {**where, "properties": properties})
        """
    )
    azure.up()
    assert "hidden-value" not in azure.pulumi("stack", "export")
    azure.pulumi("preview", "--expect-no-changes")


def test_a_role_assignment_at_a_scope(azure: Project, arm: FakeArm) -> None:
    azure.write(
        f"""
        import pulumi
        properties = {{
            "scope": "{GROUP}",
            "principalId": "22222222-2222-2222-2222-222222222222",
            "principalType": "ServicePrincipal",
            "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/x",
        }}
        pulumi.CustomResource("azure-native:authorization:RoleAssignment", "reader", properties)
        """
    )
    azure.up()
    ((path, body),) = arm.bodies()
    assert path.startswith(f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/")
    assert body["properties"]["principalType"] == "ServicePrincipal"
    azure.pulumi("preview", "--expect-no-changes")


def test_a_location_may_be_spelt_both_ways(azure: Project) -> None:
    azure.write(VAULT_PROGRAM)
    azure.up()
    azure.write(VAULT_PROGRAM.replace("location = None", 'location = "West Europe"'))
    azure.pulumi("preview", "--expect-no-changes")
