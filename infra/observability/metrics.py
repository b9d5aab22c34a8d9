"""The metrics that rules and dashboards read, and who exposes them."""

from __future__ import annotations

#: The scrape job of the agents' pods, and what a person or an event asked of them (no probe, no scrape).
SERVED = 'job="agent-api",route=~"/api/.*"'
#: Namespaces of the environments' workload.
NAMESPACES = 'namespace=~"agents-.+"'

# The agents (app/telemetry).
REQUESTS = "http_requests_total"
REQUEST_SECONDS = "http_request_duration_seconds_bucket"
QUEUE_MESSAGES = "event_queue_messages"
QUEUE_OLDEST_SECONDS = "event_queue_oldest_seconds"
TOKENS_USED = "llm_budget_used_tokens"
TOKENS_LIMIT = "llm_budget_limit_tokens"
BREAKER = "llm_breaker_state"
PUBLISH_FAILURES = "event_publish_failures_total"
DRILL_SUCCESS = "drill_last_success_timestamp_seconds"

# The backup's worker (app/backup), per kind of data.
BACKUP_NEWEST = "backup_newest_timestamp_seconds"
BACKUP_VALIDATED = "backup_validated_timestamp_seconds"
BACKUP_FAILURES = "backup_failures_total"
#: What it tells the age of, and of that what it copies itself and reads back.
BACKED_UP = ("secrets", "dead-letters", "cosmos", "sql")
COPIED = ("secrets", "dead-letters")

# Managed Prometheus' default targets: cAdvisor and kube-state-metrics.
# https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-default
CPU_SECONDS = "container_cpu_usage_seconds_total"
MEMORY_BYTES = "container_memory_working_set_bytes"
REQUESTED = "kube_pod_container_resource_requests"
LIMITED = "kube_pod_container_resource_limits"
RESTARTS = "kube_pod_container_status_restarts_total"
