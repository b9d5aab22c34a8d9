"""For every rule, what breaks it and nothing else: changes to the production stack that keeps all rules."""

from __future__ import annotations

from tests.infra.policy.declared import Change, added, both, changed, removed, unprotected, without
from tests.infra.policy.production import azure, placed

_POD = "spec.template.spec"
CONTAINER = f"{_POD}.containers.0"
AGENT = "notification-agent"

#: Rule -> changes, each of which breaks it alone.
BREACHES: dict[str, list[Change]] = {
    # keys
    "cosmos-takes-no-keys": [
        without("cosmos", "disableLocalAuth"),
        changed("cosmos", "disableLocalAuth", False),
    ],
    "openai-takes-no-keys": [without("openai", "properties.disableLocalAuth")],
    "event-topics-take-no-keys": [without("topic", "disableLocalAuth")],
    "telemetry-takes-no-keys": [without("telemetry", "disableLocalAuth")],
    "logs-take-no-keys": [without("logs", "features")],
    "storage-takes-no-keys": [
        without("storage", "allowSharedKeyAccess"),
        changed("storage", "isLocalUserEnabled", True),
    ],
    "registries-have-no-admin": [
        changed("registry", "adminUserEnabled", True),
        changed("registry", "anonymousPullEnabled", True),
    ],
    "sql-takes-no-passwords": [
        without("sql", "administrators"),
        changed("sql", "administratorLogin", "sa"),
    ],
    "grafana-takes-no-keys": [changed("grafana", "properties.apiKey", "Enabled")],
    # identity
    "roles-stay-within-a-resource-group": [
        changed("role", "scope", "/subscriptions/0"),
        changed("role", "scope", "/providers/Microsoft.Management/managementGroups/all"),
    ],
    "roles-are-not-privileged": [
        changed("role", "roleDefinitionId", "/x/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
        changed("role", "roleDefinitionId", "/x/roleDefinitions/B24988AC-6180-42A0-AB88-20F7382DD24C"),
        changed("role", "roleDefinitionId", "/x/roleDefinitions/18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"),
    ],
    "custom-roles-are-narrow": [
        changed("own-role", "permissions.0.actions", ["*"]),
        changed("own-role", "permissions.0.dataActions", ["*/read"]),
        changed("own-role", "assignableScopes", ["/subscriptions/0"]),
    ],
    "cosmos-roles-stay-within-a-database": [
        changed("cosmos-role", "scope", "/subscriptions/0/resourceGroups/g/providers/m/databaseAccounts/a")
    ],
    "federation-names-a-service-account": [
        changed("federation", "subject", "system:serviceaccount:agents-prod:*"),
        without("federation", "subject"),
        changed("federation", "issuer", "http://oidc.example.com"),
        changed("federation", "audiences", ["https://example.com"]),
    ],
    "vaults-use-roles-only": [
        without("vault", "properties.enableRbacAuthorization"),
        changed("vault", "properties.accessPolicies", [{"objectId": "o"}]),
    ],
    # encryption
    "connections-use-tls-1-2": [
        without("cosmos", "minimalTlsVersion"),
        changed("sql", "minimalTlsVersion", "1.1"),
        changed("storage", "minimumTlsVersion", "TLS1_0"),
        changed("topic", "minimumTlsVersionAllowed", "1.0"),
    ],
    "storage-takes-https-only": [changed("storage", "enableHttpsTrafficOnly", False)],
    "sql-data-is-encrypted": [changed("tde", "state", "Disabled")],
    "ingresses-serve-tls": [
        without("ingress", "spec.tls"),
        changed("ingress", "spec.rules", [{"host": "other.example.com"}]),
    ],
    # network
    "production-is-closed-to-the-public": [
        changed(name, "publicNetworkAccess", "Enabled")
        for name in ("cosmos", "sql", "storage", "topic", "registry")
    ]
    + [
        without("vault", "properties.publicNetworkAccess"),
        without("openai", "properties.publicNetworkAccess"),
    ],
    "closed-services-have-a-private-endpoint": [removed("pe-cosmos", "names-cosmos")],
    "private-endpoints-have-names": [removed("names-vault")],
    "subnets-have-a-security-group": [without("network", "subnets.0.networkSecurityGroup")],
    "only-the-web-comes-in-from-anywhere": [
        changed("nsg", "securityRules.0.destinationPortRanges", ["443", "22"]),
        changed("nsg", "securityRules.0.destinationPortRange", "*"),
    ],
    "firewalls-do-not-let-all-of-azure-in": [
        changed("office", "startIpAddress", "0.0.0.0"),  # noqa: S104
        changed("cosmos", "ipRules", [{"ipAddressOrRange": "0.0.0.0"}]),  # noqa: S104
    ],
    "blobs-are-not-public": [
        without("storage", "allowBlobPublicAccess"),
        changed("dead-letters", "publicAccess", "Blob"),
    ],
    "cluster-api-is-not-open-to-everyone": [
        without("cluster", "apiServerAccessProfile"),
        changed("cluster", "apiServerAccessProfile", {"authorizedIPRanges": ["0.0.0.0/0"]}),
    ],
    # backup
    "cosmos-is-backed-up-continuously": [changed("cosmos", "backupPolicy.type", "Periodic")],
    "production-cosmos-reaches-back-thirty-days": [
        changed("cosmos", "backupPolicy.continuousModeProperties.tier", "Continuous7Days")
    ],
    "production-sql-backups-are-in-two-regions": [
        changed("database", "requestedBackupStorageRedundancy", "Local"),
        without("database", "requestedBackupStorageRedundancy"),
    ],
    "production-sql-reaches-back-two-weeks": [changed("short", "retentionDays", 13), removed("short")],
    "production-sql-keeps-weekly-backups": [
        changed("long", "weeklyRetention", "P3W"),
        changed("long", "weeklyRetention", "PT0S"),
        removed("long"),
    ],
    "deleted-blobs-can-be-restored": [
        removed("blobs"),
        without("blobs", "isVersioningEnabled"),
        changed("blobs", "deleteRetentionPolicy.days", 6),
        changed("blobs", "containerDeleteRetentionPolicy.enabled", False),
    ],
    "production-cosmos-is-in-two-regions": [
        without("cosmos", "locations.1"),
        changed("cosmos", "enableAutomaticFailover", False),
        # Restored where it belongs, it stands in for nothing.
        both(without("cosmos", "locations.1"), changed("cosmos", "createMode", "Restore")),
        # Elsewhere, but made anew.
        both(without("cosmos", "locations.1"), changed("cosmos", "location", "northeurope")),
    ],
    "production-sql-fails-over": [
        removed("failover"),
        both(removed("failover"), changed("database", "createMode", "PointInTimeRestore")),
    ],
    # lifecycle
    "production-data-is-protected": [
        unprotected(name)
        for name in ("cosmos", "sql", "database", "storage", "vault", "registry", "dead-letters")
    ],
    "production-data-is-locked": [
        removed("lock"),
        both(
            added(azure("resources:ResourceGroup", "other", placed(resourceGroupName="rg-other"))),
            changed("database", "resourceGroupName", "rg-other"),
        ),
    ],
    "vaults-keep-what-is-deleted": [changed("vault", "properties.enableSoftDelete", False)],
    "production-vaults-cannot-be-purged": [without("vault", "properties.enablePurgeProtection")],
    # telemetry
    "services-send-their-logs": [removed("cosmos-diagnostics"), removed("cluster-diagnostics")],
    "diagnostics-reach-a-workspace": [
        without("cosmos-diagnostics", "workspaceId"),
        changed("cosmos-diagnostics", "logs.0.enabled", False),
    ],
    "sql-is-audited": [removed("auditing"), changed("auditing", "state", "Disabled")],
    "events-are-never-dropped": [without("subscription", "deadLetterWithResourceIdentity")],
    # placement
    "resources-are-tagged": [without("vault", "tags.managed-by"), without("cluster", "tags")],
    "resources-stay-in-allowed-regions": [
        changed("vault", "location", "eastasia"),
        changed("cosmos", "locations.1.locationName", "Southeast Asia"),
    ],
    # cost
    "spending-has-a-budget": [removed("budget")],
    "budgets-warn-before-and-when-they-are-spent": [
        without("budget", "notifications.going"),
        changed("budget", "notifications.spent.enabled", False),
    ],
    # cluster
    "cluster-has-no-local-accounts": [without("cluster", "disableLocalAccounts")],
    "cluster-uses-entra-and-azure-roles": [
        without("cluster", "aadProfile"),
        changed("cluster", "enableRBAC", False),
    ],
    "cluster-federates-its-workloads": [
        without("cluster", "oidcIssuerProfile"),
        without("cluster", "securityProfile"),
    ],
    "cluster-enforces-network-policies": [
        without("cluster", "networkProfile"),
        changed("cluster", "networkProfile.networkPolicy", "none"),
    ],
    "cluster-upgrades-itself": [
        changed("cluster", "autoUpgradeProfile.upgradeChannel", "none"),
        without("cluster", "autoUpgradeProfile.nodeOSUpgradeChannel"),
    ],
    "production-clusters-have-an-uptime-promise": [changed("cluster", "sku.tier", "Free")],
    "production-pools-span-zones": [
        changed("user", "availabilityZones", ["1"]),
        without("cluster", "agentPoolProfiles.0.availabilityZones"),
    ],
    # images
    "images-are-pinned": [
        changed(AGENT, f"{CONTAINER}.image", "acragentsprod.azurecr.io/agents-api-notification:latest"),
        changed(AGENT, f"{CONTAINER}.image", "acragentsprod.azurecr.io/agents-api-notification"),
        changed(AGENT, f"{CONTAINER}.image", "acragentsprod.azurecr.io/agents-api-notification:1.2"),
    ],
    "images-come-from-our-registry": [
        changed(AGENT, f"{CONTAINER}.image", "docker.io/library/nginx:1.29.0"),
        changed(AGENT, f"{CONTAINER}.image", "nginx:1.29.0"),
    ],
    # pods
    "pods-do-not-run-as-root": [
        without(AGENT, f"{_POD}.securityContext.runAsNonRoot"),
        changed(AGENT, f"{CONTAINER}.securityContext.runAsNonRoot", False),
        changed(AGENT, f"{CONTAINER}.securityContext.runAsUser", 0),
    ],
    "containers-cannot-change-their-image": [
        without(AGENT, f"{CONTAINER}.securityContext.readOnlyRootFilesystem")
    ],
    "containers-have-no-capabilities": [
        without(AGENT, f"{CONTAINER}.securityContext.capabilities"),
        changed(AGENT, f"{CONTAINER}.securityContext.capabilities.add", ["NET_ADMIN"]),
    ],
    "containers-cannot-gain-privileges": [
        without(AGENT, f"{CONTAINER}.securityContext.allowPrivilegeEscalation"),
        changed(AGENT, f"{CONTAINER}.securityContext.privileged", True),
    ],
    "pods-filter-their-system-calls": [
        without(AGENT, f"{_POD}.securityContext.seccompProfile"),
        changed(AGENT, f"{CONTAINER}.securityContext.seccompProfile", {"type": "Unconfined"}),
    ],
    "pods-share-nothing-of-their-node": [
        changed(AGENT, f"{_POD}.hostNetwork", True),
        changed(AGENT, f"{_POD}.volumes.0", {"name": "tmp", "hostPath": {"path": "/"}}),
        changed(AGENT, f"{CONTAINER}.ports", [{"containerPort": 80, "hostPort": 80}]),
    ],
    "containers-say-what-they-need": [
        without(AGENT, f"{CONTAINER}.resources.requests.cpu"),
        without(AGENT, f"{CONTAINER}.resources.limits"),
    ],
    "deployments-are-probed": [
        without(AGENT, f"{CONTAINER}.readinessProbe"),
        without(AGENT, f"{CONTAINER}.livenessProbe"),
    ],
    # workload
    "namespaces-deny-traffic-by-default": [
        removed("default-deny"),
        changed("default-deny", "spec.policyTypes", ["Ingress"]),
        changed("default-deny", "spec.egress", [{}]),
        changed("default-deny", "spec.podSelector", {"matchLabels": {"app": "one"}}),
        changed("default-deny", "metadata.namespace", "elsewhere"),
    ],
    "agents-survive-the-draining-of-nodes": [
        removed("budget-of-pods"),
        changed("budget-of-pods", "spec.selector.matchLabels.app", "other"),
    ],
    "agents-scale-with-their-load": [
        removed("scaler"),
        changed("scaler", "spec.scaleTargetRef.name", "other"),
    ],
    "production-pods-are-spread": [without(AGENT, f"{_POD}.topologySpreadConstraints")],
    "namespaces-refuse-unrestricted-pods": [
        changed("agents-prod", "metadata.labels", {"pod-security.kubernetes.io/enforce": "baseline"}),
        without("agents-prod", "metadata.labels"),
    ],
    "namespaces-are-bounded": [removed("quota")],
    # secrets
    "pods-are-handed-no-secrets": [
        changed(AGENT, f"{CONTAINER}.env.0", {"name": "PagerDuty__RoutingKey", "value": "R0123456789"}),
        changed(AGENT, f"{CONTAINER}.env.0", {"name": "Url", "value": "postgres://app:hunter2@host/db"}),
        changed(AGENT, f"{CONTAINER}.env.0", {"name": "ClientSecret", "value": "hunter2"}),
        changed(AGENT, f"{CONTAINER}.env.0", {"name": "STORAGE_CONNECTION_STRING", "value": "somewhere"}),
        changed(
            AGENT,
            f"{CONTAINER}.env.0",
            {"name": "APPLICATIONINSIGHTS_CONNECTION_STRING", "value": "AccountKey=" + "a1b2" * 11},
        ),
        changed(AGENT, f"{CONTAINER}.args", ["--db", "Server=x;Password=hunter22;"]),
    ],
    "config-maps-hold-no-secrets": [
        changed("prompts", "data", {"config": "AccountEndpoint=https://x;AccountKey=" + "a1b2" * 11}),
        changed("prompts", "data", {"id_rsa": "-----BEGIN OPENSSH PRIVATE KEY-----\nabc"}),
        changed("prompts", "data", {"api_key": "abcdef"}),
    ],
}

#: Rules that the stack cannot break under its own name: name of the stack, changes.
ELSEWHERE: dict[str, tuple[str, list[Change]]] = {
    "production-is-called-so": ("live", [changed("logs", "workspaceCapping.dailyQuotaGb", 1)]),
    "log-ingestion-is-capped-outside-production": (
        "dev",
        [changed("group", "tags.environment", "dev")],
    ),
}
