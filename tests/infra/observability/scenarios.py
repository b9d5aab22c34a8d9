"""What becomes of agents, minute by minute, and which alerts must fire. The runbook's figures, restated."""

from __future__ import annotations

from tests.infra.observability.scenario import Scenario, Told

_API = 'job="agent-api",agent="notification",route="/api/notification/execute"'
_PROBE = 'job="agent-api",agent="notification",route="/readyz"'
_OTHER_JOB = 'job="other",agent="notification",route="/api/notification/execute"'
_POD = 'namespace="agents-dev",pod="notification-agent-1"'
_AGENT = {"agent": "notification"}
_IN_POD = {"namespace": "agents-dev", "pod": "notification-agent-1"}


def _requests(ok: int, failed: int) -> dict[str, str]:
    """So many a minute, for half an hour."""
    return {
        f'http_requests_total{{{_API},status="200"}}': f"0+{ok}x30",
        f'http_requests_total{{{_API},status="503"}}': f"0+{failed}x30",
    }


def _latencies(fast: int, slow: int, bound: str, above: str, of: str = _API) -> dict[str, str]:
    """`fast` requests a minute within `bound` seconds, `slow` ones between `bound` and `above`."""
    name = "http_request_duration_seconds_bucket"
    return {
        f'{name}{{{of},le="{bound}"}}': f"0+{fast}x30",
        f'{name}{{{of},le="{above}"}}': f"0+{fast + slow}x30",
        f'{name}{{{of},le="+Inf"}}': f"0+{fast + slow}x30",
    }


def _slow_elsewhere(bound: str, above: str) -> dict[str, str]:
    """Quick answers, beside slow ones of another job and slow probes."""
    return {
        **_latencies(100, 0, bound, above),
        **_latencies(0, 60, bound, above, of=_PROBE),
        **_latencies(0, 60, bound, above, of=_OTHER_JOB),
    }


def _exactly(bound: str) -> dict[str, str]:
    """All requests lie beyond the last bucket: a quantile is then its bound, without interpolation."""
    name = "http_request_duration_seconds_bucket"
    return {f'{name}{{{_API},le="{bound}"}}': "0x30", f'{name}{{{_API},le="+Inf"}}': "0+100x30"}


def _usage(used: float, of: float, metric: str, bound: str) -> dict[str, str]:
    """Two containers in a pod, each using `used` of `of`."""
    kind = "cpu" if "cpu" in metric else "memory"
    values = f"1000+{used * 60}x30" if metric.endswith("_total") else f"{used}x30"
    return {
        series: value
        for container in ("notification-agent", "helper")
        for series, value in (
            (f'{metric}{{{_POD},container="{container}"}}', values),
            (f'{bound}{{{_POD},container="{container}",resource="{kind}"}}', f"{of}x30"),
            # The pod's own cgroup repeats the sum of its containers and must not be counted.
            (f'{metric}{{{_POD},container=""}}', f"0+{used * 120}x30" if "total" in metric else f"{used}x30"),
        )
    }


def _restarts(values: str) -> dict[str, str]:
    return {f'kube_pod_container_status_restarts_total{{{_POD},container="notification-agent"}}': values}


_P1 = Told("P1", "pagerduty,teams")
_P2 = Told("P2", "teams")
_CPU = ("container_cpu_usage_seconds_total", "kube_pod_container_resource_requests")
_MEMORY = ("container_memory_working_set_bytes", "kube_pod_container_resource_limits")
_CRASH = Told("P1", "pagerduty")
_CONTAINER = {**_IN_POD, "container": "notification-agent"}
_BUDGET = Told("P2", "teams,email")


def _tokens(used: int) -> dict[str, str]:
    """Two replicas that report the same ledger."""
    return {
        f'{name}{{agent="notification",pod="{pod}"}}': f"{value}x30"
        for pod in ("a", "b")
        for name, value in (("llm_budget_used_tokens", used), ("llm_budget_limit_tokens", 1000))
    }


def _breaker(*closed: str) -> dict[str, str]:
    """Whether the backup's is closed, for each pod."""
    series = 'llm_breaker_state{agent="notification",provider="azure-openai-backup",'
    return {f'{series}state="closed",pod="{number}"}}': values for number, values in enumerate(closed)}


_PROVIDER = {**_AGENT, "provider": "azure-openai-backup"}
_REFUSED = "event_publish_failures_total"
_DRILLED = "drill_last_success_timestamp_seconds"

SCENARIOS = (
    Scenario("5 % errors", "HighErrorRate", _requests(95, 5), _AGENT, _P1, silent=(1, 6, 20)),
    Scenario(
        "6 % errors",
        "HighErrorRate",
        _requests(94, 6),
        _AGENT,
        _P1,
        silent=(1, 5),
        fires=(6, 20),
        says="6% of the notification agent's answers are errors",
    ),
    Scenario("no traffic", "HighErrorRate", _requests(0, 0), _AGENT, _P1, silent=(6, 20)),
    Scenario(
        "errors of another job, and of probes",
        "HighErrorRate",
        {
            f'http_requests_total{{{_OTHER_JOB},status="500"}}': "0+60x30",
            f'http_requests_total{{{_PROBE},status="503"}}': "0+60x30",
            **_requests(100, 0),
        },
        _AGENT,
        _P1,
        silent=(6, 20),
    ),
    Scenario(
        "a spike of four minutes",
        "HighErrorRate",
        {
            f'http_requests_total{{{_API},status="200"}}': "0+100x30",
            f'http_requests_total{{{_API},status="500"}}': "0 100 100+0x28",
        },
        _AGENT,
        _P1,
        silent=(5, 6, 10, 20),
    ),
    Scenario(
        "one agent's errors are not thinned by another's traffic",
        "HighErrorRate",
        {
            **_requests(90, 10),
            'http_requests_total{job="agent-api",agent="devops",route="/api/x",status="200"}': "0+9000x30",
        },
        _AGENT,
        _P1,
        fires=(6,),
        says="10% of the notification agent's answers are errors",
    ),
    Scenario("p95 is 2 s", "HighLatency", _exactly("2"), _AGENT, _P1, silent=(6, 20)),
    Scenario("slow elsewhere", "HighLatency", _slow_elsewhere("2", "5"), _AGENT, _P1, silent=(6, 20)),
    Scenario(
        "p95 over 2 s",
        "HighLatency",
        _latencies(94, 6, "2", "2.3"),
        _AGENT,
        _P1,
        silent=(5,),
        fires=(6, 20),
        says="The notification agent takes 2.05s (p95)",
    ),
    Scenario("p95 is 1 s", "ElevatedResponseTime", _exactly("1"), _AGENT, _P2, silent=(11, 25)),
    Scenario(
        "slow elsewhere", "ElevatedResponseTime", _slow_elsewhere("1", "2"), _AGENT, _P2, silent=(11, 25)
    ),
    Scenario(
        "p95 over 1 s",
        "ElevatedResponseTime",
        _latencies(94, 6, "1", "1.3"),
        _AGENT,
        _P2,
        silent=(10,),
        fires=(11, 25),
        says="The notification agent takes 1.05s (p95)",
    ),
    Scenario("3 restarts", "PodCrashes", _restarts("0 0 1 2 3x20"), _CONTAINER, _CRASH, silent=(3, 4, 8, 11)),
    Scenario(
        "4 restarts",
        "PodCrashes",
        _restarts("0 1 2 3 4x20"),
        _CONTAINER,
        _CRASH,
        silent=(3,),
        fires=(4, 9),
        says="notification-agent in notification-agent-1 restarted 4 times in ten minutes",
    ),
    Scenario(
        "4 restarts in an hour",
        "PodCrashes",
        _restarts("0x10 1x10 2x10 3x10 4x10"),
        _CONTAINER,
        _CRASH,
        silent=(11, 22, 33, 44, 50),
    ),
    Scenario("85 % CPU", "HighCpu", _usage(51, 60, *_CPU), _IN_POD, _P2, silent=(11, 25)),
    Scenario(
        "86 % CPU",
        "HighCpu",
        _usage(51.6, 60, *_CPU),
        _IN_POD,
        _P2,
        silent=(14,),
        fires=(15, 25),
        says="notification-agent-1 uses 86% of the CPU it requested",
    ),
    Scenario("90 % memory", "HighMemory", _usage(90, 100, *_MEMORY), _IN_POD, _P2, silent=(10, 25)),
    Scenario(
        "91 % memory",
        "HighMemory",
        _usage(91, 100, *_MEMORY),
        _IN_POD,
        _P2,
        silent=(9,),
        fires=(10, 25),
        says="notification-agent-1 uses 91% of its memory limit",
    ),
    Scenario(
        "1,000 messages",
        "EventProcessingLag",
        {'event_queue_messages{agent="notification",pod="a"}': "1000x5"},
        _AGENT,
        _P2,
        silent=(0, 5),
    ),
    Scenario(
        "1,001 messages, seen by two pods",
        "EventProcessingLag",
        {f'event_queue_messages{{agent="notification",pod="{pod}"}}': "1001x5" for pod in "ab"},
        _AGENT,
        _P2,
        fires=(0, 5),
        says="The notification agent is behind with its events",
    ),
    Scenario(
        "a message of five minutes",
        "EventProcessingLag",
        {'event_queue_oldest_seconds{agent="notification",pod="a"}': "300x5"},
        _AGENT,
        _P2,
        silent=(0, 5),
    ),
    Scenario(
        "an older one, in a short queue",
        "EventProcessingLag",
        {
            'event_queue_oldest_seconds{agent="notification",pod="a"}': "301x5",
            'event_queue_messages{agent="notification",pod="a"}': "1x5",
        },
        _AGENT,
        _P2,
        fires=(0, 5),
        says="The notification agent is behind with its events",
    ),
    Scenario("80 % of the tokens", "LlmTokenBudget", _tokens(800), _AGENT, _BUDGET, silent=(0, 5)),
    Scenario(
        "over 80 % of the tokens",
        "LlmTokenBudget",
        _tokens(801),
        _AGENT,
        _BUDGET,
        fires=(0, 5),
        says="The notification agent used 80.1% of today's tokens",
    ),
    Scenario(
        "away for five of ten minutes",
        "ModelProviderFailure",
        _breaker("1x4 0x4 1x30"),
        _PROVIDER,
        _P2,
        silent=(5, 9, 12, 25),
    ),
    Scenario(
        "away for six of ten minutes",
        "ModelProviderFailure",
        {**_breaker("1x9 0x5 1x30"), 'llm_breaker_state{agent="notification",state="open",pod="a"}': "0x40"},
        _PROVIDER,
        _P2,
        silent=(14,),
        fires=(15, 19),
        says="The notification agent does without azure-openai-backup",
    ),
    Scenario(
        "away from one pod of two",
        "ModelProviderFailure",
        _breaker("0x30", "1x30"),
        _PROVIDER,
        _P2,
        silent=(5, 25),
    ),
    Scenario(
        "5 failures in ten minutes",
        "EventPublishFailures",
        {f'{_REFUSED}{{agent="notification",pod="a"}}': "0+0.5x40"},
        _AGENT,
        _P2,
        silent=(10, 30),
    ),
    Scenario(
        "3 failures in each of two pods",
        "EventPublishFailures",
        {f'{_REFUSED}{{agent="notification",pod="{pod}"}}': "0+0.3x40" for pod in "ab"},
        _AGENT,
        _P2,
        silent=(8,),
        fires=(9, 30),
        says="The notification agent cannot publish its events, which wait in its outbox",
    ),
    # promtool's time begins at 0: the drill passed eight days but an hour before.
    Scenario(
        "eight days since a drill passed, and an hour",
        "DrillTooOld",
        {f'{_DRILLED}{{drill="region-loss",pod="{pod}"}}': "-687600x150" for pod in "ab"},
        {"drill": "region-loss"},
        _BUDGET,
        silent=(60, 120),
        fires=(121, 140),
        says="Recovery was not rehearsed for more than a week: region-loss",
    ),
    Scenario(
        "a second less, and another drill that passed lately",
        "DrillTooOld",
        {
            f'{_DRILLED}{{drill="region-loss"}}': "-687541x150",
            f'{_DRILLED}{{drill="vault-deleted"}}': "0x150",
        },
        {"drill": "region-loss"},
        _BUDGET,
        silent=(120,),
        fires=(121,),
        says="Recovery was not rehearsed for more than a week: region-loss",
    ),
    Scenario(
        "every drill passed lately",
        "DrillTooOld",
        {f'{_DRILLED}{{drill="region-loss"}}': "0x100"},
        {},
        _BUDGET,
        silent=(60, 61, 99),
    ),
    Scenario(
        "nobody knows of any drill for an hour",
        "DrillTooOld",
        {f'{_DRILLED}{{drill="region-loss"}}': "0x10 _x100"},
        {"drill": "all of them"},
        _BUDGET,
        # A series counts for five minutes after its last sample.
        silent=(10, 75),
        fires=(76, 100),
        says="Recovery was not rehearsed for more than a week: all of them",
    ),
)
