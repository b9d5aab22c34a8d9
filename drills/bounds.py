"""What Azure's documentation bounds recovery to, service by service, each with its page."""

from drills.report import Bound

_DOCS = "https://learn.microsoft.com/azure"

COSMOS_RESTORE = Bound(
    service="Cosmos DB",
    mechanism="continuous backup, restored to a new account",
    rpo="100 s",
    rto="by size; no guarantee",
    source=f"{_DOCS}/cosmos-db/continuous-backup-restore-introduction",
)
COSMOS_REGIONS = Bound(
    service="Cosmos DB",
    mechanism="two regions, service-managed failover",
    rpo="less than 15 minutes (session consistency)",
    rto="up to an hour",
    source=f"{_DOCS}/reliability/reliability-cosmos-db-nosql",
)
SQL_RESTORE = Bound(
    service="Azure SQL",
    mechanism="point-in-time restore",
    rpo="5 to 10 minutes (log backups)",
    rto="most within 12 hours",
    source=f"{_DOCS}/azure-sql/database/recovery-using-backups",
)
SQL_GROUP = Bound(
    service="Azure SQL",
    mechanism="failover group",
    rpo="5 s",
    rto="an hour",
    source=f"{_DOCS}/azure-sql/database/business-continuity-high-availability-disaster-recover-hadr-overview",
)
SQL_GEO_RESTORE = Bound(
    service="Azure SQL",
    mechanism="geo-restore from geo-redundant backups",
    rpo="an hour",
    rto="most within 12 hours",
    source=f"{_DOCS}/azure-sql/database/recovery-using-backups",
)
VAULT = Bound(
    service="Key Vault",
    mechanism="soft delete",
    rpo="nothing is lost",
    rto="minutes",
    source=f"{_DOCS}/key-vault/general/soft-delete-overview",
)
REGISTRY = Bound(
    service="Container Registry",
    mechanism="geo-replication",
    rpo="eventual",
    rto="none for pulls",
    source=f"{_DOCS}/container-registry/container-registry-geo-replication",
)
EVENTS = Bound(
    service="Event Grid",
    mechanism="server-side geo disaster recovery",
    rpo="5 minutes of events",
    rto="an hour",
    source=f"{_DOCS}/event-grid/geo-disaster-recovery",
)
CLUSTER = Bound(
    service="AKS",
    mechanism="made anew by `pulumi up`; it holds no data",
    rpo="nothing is lost",
    rto="minutes",
    source=f"{_DOCS}/aks/ha-dr-overview",
)
