"""Questions in KQL: whose data they see, who may ask them, how they are answered and refused."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.azure.insights.telemetry.access import DATA, QUERY_WORKSPACE
from tests.sandbox.azure import fakes
from tests.sandbox.azure.insights.telemetry.conftest import TIME, Insights, item, message, table


def test_a_component_shows_its_own_data_and_a_workspace_that_of_all_in_it(insights: Insights) -> None:
    for found, text in (
        (insights.component, "one"),
        (insights.neighbour, "two"),
        (insights.elsewhere, "three"),
    ):
        assert insights.send(message(str(found.properties["InstrumentationKey"]), text)).status_code == 200
    assert [row["message"] for row in insights.rows("traces")] == ["one"]
    assert [row["Message"] for row in insights.rows("AppTraces")] == ["one"]
    answer = insights.ask_workspace("AppTraces | order by Message asc | project Message, AppRoleName")
    assert table(answer) == [
        {"Message": "one", "AppRoleName": "notification-agent"},
        {"Message": "two", "AppRoleName": "notification-agent"},
    ]


@pytest.mark.parametrize(
    "question",
    [
        "kept_traces",
        "traces | union kept_traces",
        "traces | join kind=inner (kept_requests) on operation_Id",
        "let all = kept_traces; all | count",
        'database("telemetry").kept_traces',
        'database("telemetry").traces',
        "traces | where message in ((kept_traces | project message))",
    ],
)
def test_no_question_reaches_what_is_not_in_its_scope(insights: Insights, question: str) -> None:
    answer = insights.ask(question)
    assert answer.status_code == 400
    reason = answer.json()["error"]["innererror"]["message"]
    assert "Failed to resolve" in reason or "unknown table" in reason


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ("traces | wherex", 400),
        ("traces | project duration", 400),
        ("nothing | take 1", 400),
        (".drop table traces", 400),
        (".show tables", 400),
        ("", 400),
        ("   ", 400),
        ('externaldata(a:string)[@"/etc/passwd"]', 501),
        ("traces | make-series count() on timestamp step 1h", 501),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(
    insights: Insights, question: str, status: int
) -> None:
    answer = insights.ask(question)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["message"]
    assert status != 400 or error["innererror"]["message"]


def test_types_are_those_of_kql(insights: Insights) -> None:
    insights.send(message(insights.key, "x", 2, CorrelationId="c"))
    question = (
        "traces | project timestamp, message, severityLevel, customDimensions, "
        "age = timestamp - datetime(2026-11-27), ratio = severityLevel / 4.0, yes = severityLevel > 1, "
        "n = toint(3), nothing = toreal(customMeasurements.absent)"
    )
    (found,) = insights.ask(question).json()["tables"]
    assert [column["type"] for column in found["columns"]] == [
        "datetime",
        "string",
        "long",
        "dynamic",
        "timespan",
        "real",
        "bool",
        "int",
        "real",
    ]
    assert found["rows"] == [
        [TIME, "x", 2, '{"CorrelationId":"c"}', "1.17:41:27.4862020", 0.5, True, 3, None]
    ]


@pytest.mark.parametrize(
    ("timespan", "count"),
    [
        (None, 1),
        ("2026-11-28T17:00:00Z/2026-11-28T18:00:00Z", 1),
        ("2026-11-28T17:00:00Z/PT1H", 1),
        ("PT1H/2026-11-28T18:00:00Z", 1),
        ("2026-11-28T18:00:00Z/PT1H", 0),
        ("2026-11-28T17:00:00/2026-11-28T17:30:00", 0),
    ],
)
def test_a_timespan_narrows_what_is_seen(insights: Insights, timespan: str | None, count: int) -> None:
    insights.send(message(insights.key, "x"))
    assert insights.rows("traces | count", timespan=timespan) == [{"Count": count}]


@pytest.mark.parametrize("timespan", ["an hour", "PT1H/", "P/P", 7])
def test_a_bad_timespan_is_refused(insights: Insights, timespan: Any) -> None:
    answer = insights.ask("traces", timespan=timespan)
    assert answer.status_code == 400
    assert answer.json()["error"]["innererror"]["code"] == "InvalidTimespan"


def test_only_readers_may_ask(insights: Insights) -> None:
    assert insights.ask("traces", who="stranger").status_code == 403
    assert insights.ask("traces", who="sender").status_code == 403
    assert insights.ask_workspace("AppTraces", who="sender").status_code == 403
    assert insights.ask("traces", application="00000000-0000-0000-0000-000000000000").status_code == 404


def test_a_workspace_is_read_by_data_action_too_but_not_by_half_of_the_rights(insights: Insights) -> None:
    rbac, scope = insights.world.rbac, insights.workspace.id.text
    rbac.grant("data-reader", DATA, scope=scope)
    assert insights.ask_workspace("AppTraces", who="data-reader").status_code == 403
    rbac.grant("asker", QUERY_WORKSPACE, scope=scope, data=False)
    assert insights.ask_workspace("AppTraces", who="asker").status_code == 403
    rbac.grant("data-reader", QUERY_WORKSPACE, scope=scope, data=False)
    assert insights.ask_workspace("AppTraces", who="data-reader").status_code == 200


def test_nobody_asks_without_a_token_for_this(insights: Insights) -> None:
    url = f"https://api.applicationinsights.azure.test:{insights.world.port}/v1/apps/{insights.application}/query"
    answer = insights.http.get(url, params={"query": "traces"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AuthorizationRequiredError")
    token = fakes.token("reader", "https://management.azure.test")
    answer = insights.http.get(url, params={"query": "traces"}, headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidTokenError")


def test_log_analytics_has_truth_values_and_its_own_names(insights: Insights) -> None:
    data = {"id": "1", "name": "n", "duration": "00:00:00.250000", "responseCode": "200", "success": True}
    insights.send(item(insights.key, "RequestData", data))
    question = "AppRequests | where Success == true | project TimeGenerated, Name, DurationMs, OperationName"
    assert table(insights.ask_workspace(question)) == [
        {
            "TimeGenerated": TIME,
            "Name": "n",
            "DurationMs": 250.0,
            "OperationName": "NotificationAgent.Execute",
        }
    ]
