"""The tables of telemetry: Application Insights' columns, and the names that Log Analytics has for them.

https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete
https://learn.microsoft.com/azure/azure-monitor/reference/tables/apprequests
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_TEXT, _TIME, _REAL, _WHOLE, _DYNAMIC = "VARCHAR", "TIMESTAMPTZ", "DOUBLE", "BIGINT", "JSON"

#: What every table has after its own columns.
_COMMON = {
    "itemType": _TEXT,
    "customDimensions": _DYNAMIC,
    "customMeasurements": _DYNAMIC,
    "operation_Name": _TEXT,
    "operation_Id": _TEXT,
    "operation_ParentId": _TEXT,
    "operation_SyntheticSource": _TEXT,
    "session_Id": _TEXT,
    "user_Id": _TEXT,
    "user_AuthenticatedId": _TEXT,
    "application_Version": _TEXT,
    "client_Type": _TEXT,
    "client_IP": _TEXT,
    "cloud_RoleName": _TEXT,
    "cloud_RoleInstance": _TEXT,
    "appId": _TEXT,
    "appName": _TEXT,
    "iKey": _TEXT,
    "sdkVersion": _TEXT,
    "itemId": _TEXT,
    "itemCount": _WHOLE,
    "_ResourceId": _TEXT,
}
#: Log Analytics' names of common columns; a common column without one is not there.
_COMMON_THERE = {
    "customDimensions": "Properties",
    "customMeasurements": "Measurements",
    "operation_Name": "OperationName",
    "operation_Id": "OperationId",
    "operation_ParentId": "ParentId",
    "operation_SyntheticSource": "SyntheticSource",
    "session_Id": "SessionId",
    "user_Id": "UserId",
    "user_AuthenticatedId": "UserAuthenticatedId",
    "application_Version": "AppVersion",
    "client_Type": "ClientType",
    "client_IP": "ClientIP",
    "cloud_RoleName": "AppRoleName",
    "cloud_RoleInstance": "AppRoleInstance",
    "iKey": "IKey",
    "sdkVersion": "SDKVersion",
    "itemCount": "ItemCount",
    "_ResourceId": "_ResourceId",
}


@dataclass(frozen=True)
class Table:
    """`own` columns and their types; `there` is what Log Analytics calls the table, `renamed` its columns."""

    name: str
    there: str
    own: Mapping[str, str]
    renamed: Mapping[str, str]

    @property
    def columns(self) -> dict[str, str]:
        return {"timestamp": _TIME, **self.own, **_COMMON}

    @property
    def columns_there(self) -> dict[str, str]:
        """Column -> what Log Analytics calls it."""
        return {"timestamp": "TimeGenerated", **self.renamed, **_COMMON_THERE}


_CALL = {
    "success": _TEXT,
    "resultCode": _TEXT,
    "duration": _REAL,
    "performanceBucket": _TEXT,
}
_CALL_THERE = {
    "id": "Id",
    "name": "Name",
    "success": "Success",
    "resultCode": "ResultCode",
    "duration": "DurationMs",
    "performanceBucket": "PerformanceBucket",
}

TABLES = (
    Table(
        "requests",
        "AppRequests",
        {"id": _TEXT, "source": _TEXT, "name": _TEXT, "url": _TEXT, **_CALL},
        {**_CALL_THERE, "source": "Source", "url": "Url"},
    ),
    Table(
        "dependencies",
        "AppDependencies",
        {"id": _TEXT, "target": _TEXT, "type": _TEXT, "name": _TEXT, "data": _TEXT, **_CALL},
        {**_CALL_THERE, "target": "Target", "type": "DependencyType", "data": "Data"},
    ),
    Table(
        "traces",
        "AppTraces",
        {"message": _TEXT, "severityLevel": _WHOLE},
        {"message": "Message", "severityLevel": "SeverityLevel"},
    ),
    Table(
        "exceptions",
        "AppExceptions",
        {
            "problemId": _TEXT,
            "type": _TEXT,
            "outerType": _TEXT,
            "outerMessage": _TEXT,
            "innermostType": _TEXT,
            "innermostMessage": _TEXT,
            "severityLevel": _WHOLE,
            "details": _DYNAMIC,
        },
        {
            "problemId": "ProblemId",
            "type": "ExceptionType",
            "outerType": "OuterType",
            "outerMessage": "OuterMessage",
            "innermostType": "InnermostType",
            "innermostMessage": "InnermostMessage",
            "severityLevel": "SeverityLevel",
            "details": "Details",
        },
    ),
    Table(
        "customMetrics",
        "AppMetrics",
        {
            "name": _TEXT,
            "value": _REAL,
            "valueCount": _WHOLE,
            "valueSum": _REAL,
            "valueMin": _REAL,
            "valueMax": _REAL,
            "valueStdDev": _REAL,
        },
        {"name": "Name", "valueSum": "Sum", "valueMin": "Min", "valueMax": "Max"},
    ),
)
