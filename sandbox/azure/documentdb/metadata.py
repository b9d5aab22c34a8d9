"""What clients read before they work with items: the account, databases, containers, partition key ranges."""

from __future__ import annotations

import json
from typing import Any

from sandbox.arm.resource import Resource
from sandbox.azure.documentdb import naming, rids
from sandbox.azure.documentdb.container import Container
from sandbox.names import Names

#: What the query language can do, as clients ask the account. Source: the answer of an account on Azure.
_QUERY = {
    "maxSqlQueryInputLength": 262144,
    "maxJoinsPerSqlQuery": 10,
    "maxLogicalAndPerSqlQuery": 2000,
    "maxLogicalOrPerSqlQuery": 2000,
    "maxUdfRefPerSqlQuery": 10,
    "maxInExpressionItemsCount": 16000,
    "queryMaxInMemorySortDocumentCount": 500,
    "maxQueryRequestTimeoutFraction": 0.9,
    "sqlAllowNonFiniteNumbers": False,
    "sqlAllowAggregateFunctions": True,
    "sqlAllowSubQuery": True,
    "sqlAllowScalarSubQuery": True,
    "allowNewKeywords": True,
    "sqlAllowLike": False,
    "sqlAllowGroupByClause": False,
    "maxSpatialQueryCells": 12,
    "spatialMaxGeometryPointCount": 256,
    "sqlDisableOptimizationFlags": 0,
    "sqlAllowTop": True,
    "enableSpatialIndexing": True,
}


def account(names: Names, resource: Resource) -> dict[str, Any]:
    """The account, with hosts of this Azure as its regions: clients find their endpoints here."""
    name = resource.id.name
    places = [
        {"name": place, "databaseAccountEndpoint": naming.endpoint(names, name, place)}
        for place in naming.locations(resource)
    ]
    many = bool(resource.properties.get("enableMultipleWriteLocations"))
    return {
        "_self": "",
        "id": name,
        "_rid": naming.host(names, name),
        "media": "//media/",
        "addresses": "//addresses/",
        "_dbs": "//dbs/",
        "writableLocations": places if many else places[:1],
        "readableLocations": places,
        "enableMultipleWriteLocations": many,
        "continuousBackupEnabled": resource.properties["backupPolicy"]["type"] == "Continuous",
        "enableNRegionSynchronousCommit": False,
        "userReplicationPolicy": {"asyncReplication": False, "minReplicaSetSize": 3, "maxReplicasetSize": 4},
        "userConsistencyPolicy": {
            "defaultConsistencyLevel": resource.properties["consistencyPolicy"]["defaultConsistencyLevel"]
        },
        "systemReplicationPolicy": {"minReplicaSetSize": 3, "maxReplicasetSize": 4},
        "readPolicy": {"primaryReadCoefficient": 1, "secondaryReadCoefficient": 1},
        "queryEngineConfiguration": json.dumps(_QUERY),
    }


def ranges(container: Container) -> dict[str, Any]:
    """One physical partition holds every key."""
    rid = rids.partition_key_range(container.rid)
    one = {
        "_rid": rid,
        "id": "0",
        "_etag": container.definition["_etag"],
        "minInclusive": "",
        "maxExclusive": "FF",
        "ridPrefix": 0,
        "_self": f"{container.path}pkranges/{rid}/",
        "throughputFraction": 1,
        "status": "online",
        "parents": [],
        "ownedArchivalPKRangeIds": [],
        "_ts": container.definition["_ts"],
        "_lsn": 1,
    }
    return {"_rid": container.rid, "PartitionKeyRanges": [one], "_count": 1}


def plan() -> dict[str, Any]:
    """The plan of any query: the one partition does all of it."""
    return {
        "partitionedQueryExecutionInfoVersion": 2,
        "queryInfo": {
            "distinctType": "None",
            "top": None,
            "offset": None,
            "limit": None,
            "orderBy": [],
            "orderByExpressions": [],
            "groupByExpressions": [],
            "groupByAliases": [],
            "aggregates": [],
            "groupByAliasToAggregateType": {},
            "rewrittenQuery": "",
            "hasSelectValue": False,
            "hasNonStreamingOrderBy": False,
            "dCountInfo": None,
        },
        "queryRanges": [{"min": "", "max": "FF", "isMinInclusive": True, "isMaxInclusive": False}],
    }
