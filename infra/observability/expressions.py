"""PromQL for every indicator, aggregated to what a person can act on: an agent, a pod, a container."""

from __future__ import annotations

from collections.abc import Sequence

from infra.observability import metrics

_WINDOW = "5m"


def error_rate() -> str:
    """Share of answers with a 5xx status, per agent; without traffic it is NaN, which no alert exceeds."""
    errors = _rate(f'{metrics.REQUESTS}{{{metrics.SERVED},status=~"5.."}}')
    return f"{errors} / {_rate(f'{metrics.REQUESTS}{{{metrics.SERVED}}}')}"


def response_time(quantile: float) -> str:
    """Seconds within which that share of requests was answered, per agent."""
    buckets = f"rate({metrics.REQUEST_SECONDS}{{{metrics.SERVED}}}[{_WINDOW}])"
    return f"histogram_quantile({quantile}, sum by (le, agent) ({buckets}))"


def restarts() -> str:
    """Restarts of each container in ten minutes.

    Not `increase`, which extrapolates: three restarts would come out as a little more than three.
    """
    window = f"{metrics.RESTARTS}{{{metrics.NAMESPACES}}}[10m]"
    return f"(max_over_time({window}) - min_over_time({window}))"


def cpu() -> str:
    """CPU of each pod as a share of what it requested, which is what the autoscaler looks at."""
    used = f'rate({metrics.CPU_SECONDS}{{{metrics.NAMESPACES},container!=""}}[{_WINDOW}])'
    return _share(used, f'{metrics.REQUESTED}{{{metrics.NAMESPACES},resource="cpu"}}')


def memory() -> str:
    """Working set of each pod as a share of its limit, beyond which the kernel kills it."""
    used = f'{metrics.MEMORY_BYTES}{{{metrics.NAMESPACES},container!=""}}'
    return _share(used, f'{metrics.LIMITED}{{{metrics.NAMESPACES},resource="memory"}}')


def queue_depth() -> str:
    """Messages waiting for each agent; every replica reports the same queue."""
    return f"max by (agent) ({metrics.QUEUE_MESSAGES})"


def queue_age() -> str:
    """Seconds that the oldest message has waited for each agent."""
    return f"max by (agent) ({metrics.QUEUE_OLDEST_SECONDS})"


def tokens() -> str:
    """Tokens used of the day's budget, per agent; every replica reports the same ledger."""
    return f"max by (agent) ({metrics.TOKENS_USED}) / max by (agent) ({metrics.TOKENS_LIMIT})"


def provider_away() -> str:
    """Share of ten minutes in which none of an agent's pods used a model provider, half-open included."""
    closed = f'avg_over_time({metrics.BREAKER}{{state="closed"}}[10m])'
    return f"1 - max by (agent, provider) ({closed})"


def publish_failures() -> str:
    """Attempts to publish that failed within ten minutes, per agent; they get rarer, to one a minute."""
    return f"sum by (agent) (increase({metrics.PUBLISH_FAILURES}[10m]))"


def backup_age() -> str:
    """Seconds since the moment that copies are complete as of, per kind of data."""
    return f"time() - max by (data) ({metrics.BACKUP_NEWEST})"


def backup_validation_age() -> str:
    """Seconds since copies were last read back and were like their originals, per kind of data."""
    return f"time() - max by (data) ({metrics.BACKUP_VALIDATED})"


def backup_failures() -> str:
    """What the worker could not do within an hour and a half, per kind of data."""
    return f"sum by (data) (increase({metrics.BACKUP_FAILURES}[90m]))"


def missing(metric: str, kinds: Sequence[str]) -> str:
    """The kinds of data that nothing is known of, each as a series of its own."""
    return " or ".join(f'absent({metric}{{data="{kind}"}})' for kind in kinds)


def drill_age() -> str:
    """Seconds since each drill passed; every pod reports the same file."""
    return f"time() - max by (drill) ({metrics.DRILL_SUCCESS})"


def no_drill() -> str:
    """1 where no drill ever passed, or nobody reports of any."""
    return f"absent({metrics.DRILL_SUCCESS})"


def _rate(selector: str) -> str:
    return f"sum by (agent) (rate({selector}[{_WINDOW}]))"


def _share(used: str, of: str) -> str:
    return f"sum by (namespace, pod) ({used}) / sum by (namespace, pod) ({of})"
