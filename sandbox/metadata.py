"""The cloud's description of itself, by which clients find its endpoints: `/metadata/endpoints`."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.arm.errors import ArmError
from sandbox.arm.request import api_version
from sandbox.names import Names

#: What the Pulumi program is told beyond Azure's own document: the dialect of Azure SQL's stand-in.
_SQL_DIALECT = "postgresql"


def document(names: Names) -> dict[str, Any]:
    """API version 2022-09-01. URLs carry no trailing slash: clients append paths."""

    def url(label: str) -> str:
        return f"https://{names.service(label)}"

    return {
        "name": "AgentsSandbox",
        "portal": url("portal"),
        "authentication": {
            "loginEndpoint": f"https://{names.login}",
            "audiences": [f"https://{names.management}", "https://management.azure.com"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graph": f"https://{names.graph}",
        "graphAudience": f"https://{names.graph}",
        "microsoftGraphResourceId": f"https://{names.graph}",
        "resourceManager": f"https://{names.management}",
        "media": url("media"),
        "gallery": url("gallery"),
        "batch": url("batch"),
        "sqlManagement": url("sqlmanagement"),
        "vmImageAliasDoc": f"https://{names.management}/metadata/images",
        "activeDirectoryDataLake": url("datalake"),
        "appInsightsResourceId": url("applicationinsights"),
        "appInsightsTelemetryChannelResourceId": f"{url('applicationinsights')}/v2/track",
        "attestationResourceId": url("attest"),
        "logAnalyticsResourceId": url("loganalytics"),
        "ossrDbmsResourceId": f"https://ossrdbms-aad.{names.service('database')}",
        "ossrdbmsResourceId": f"https://ossrdbms-aad.{names.service('database')}",
        "synapseAnalyticsResourceId": url("dev.synapse"),
        "suffixes": {
            "keyVaultDns": names.service("vault"),
            "mhsmDns": names.service("managedhsm"),
            "storage": names.service("storage"),
            "storageSyncEndpointSuffix": names.service("afs"),
            "sqlServerHostname": names.service("database"),
            "mysqlServerEndpoint": f"mysql.{names.service('database')}",
            "postgresqlServerEndpoint": f"postgres.{names.service('database')}",
            "mariadbServerEndpoint": f"mariadb.{names.service('database')}",
            "acrLoginServer": names.service("azurecr"),
            "azureDataLakeStoreFileSystem": names.service("datalakestore"),
            "azureDataLakeAnalyticsCatalogAndJob": names.service("datalakeanalytics"),
            "azureFrontDoorEndpointSuffix": names.service("frontdoor"),
            "synapseAnalytics": names.service("dev.synapse"),
            "attestationEndpoint": names.service("attest"),
        },
        "sqlDialect": _SQL_DIALECT,
    }


class Metadata:
    """Serves the document in the shapes of the API versions that clients use. Open to anyone, as on Azure."""

    def __init__(self, names: Names) -> None:
        self._document = document(names)

    async def endpoints(self, request: Request) -> Response:
        query = dict(request.query_params)
        try:
            # Older clients ask for 1.0, which is no date.
            version = "1.0" if query.get("api-version") == "1.0" else api_version(query)
        except ArmError as error:
            return JSONResponse(error.body(), error.status)
        if version < "2019":
            return JSONResponse(
                {
                    "galleryEndpoint": self._document["gallery"],
                    "graphEndpoint": self._document["graph"],
                    "portalEndpoint": self._document["portal"],
                    "authentication": {
                        key: self._document["authentication"][key] for key in ("loginEndpoint", "audiences")
                    },
                }
            )
        # Up to 2022 the answer was the list of clouds.
        return JSONResponse([self._document] if version < "2022" else self._document)
