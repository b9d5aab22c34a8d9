"""All rules, in the order of their rooms. The decorator makes a function of a room a rule."""

from __future__ import annotations

from types import ModuleType

from infra.policy.rule import Rule
from infra.policy.rules import (
    backup,
    cluster,
    cost,
    encryption,
    identity,
    images,
    keys,
    lifecycle,
    network,
    placement,
    pods,
    secrets,
    telemetry,
    workload,
)

ROOMS: tuple[ModuleType, ...] = (
    keys,
    identity,
    encryption,
    network,
    backup,
    lifecycle,
    telemetry,
    placement,
    cost,
    cluster,
    images,
    pods,
    workload,
    secrets,
)

RULES: tuple[Rule, ...] = tuple(
    found for room in ROOMS for found in vars(room).values() if isinstance(found, Rule)
)
