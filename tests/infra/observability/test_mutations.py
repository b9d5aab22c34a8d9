"""A rule that is changed a little is found out by the scenarios."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from infra.observability.alerts import Alert, Channel, Severity
from infra.observability.rulefile import CATALOGUE
from tests.infra.observability.backup_scenarios import SCENARIOS as OF_BACKUPS
from tests.infra.observability.promtool import failures
from tests.infra.observability.scenarios import SCENARIOS as OF_AGENTS

SCENARIOS = (*OF_AGENTS, *OF_BACKUPS)


def _mutants(alert: Alert) -> Iterator[tuple[str, Alert]]:
    """The alert with one small mistake each."""
    for found in re.finditer(r" > ([\d.]+)", alert.expression):
        before, after = alert.expression[: found.start()], alert.expression[found.end() :]
        value = float(found[1])
        step = 1 if value > 2 else value / 5
        yield f"{found[0]} as >=", replace(alert, expression=f"{before} >= {found[1]}{after}")
        yield f"{found[0]} as <", replace(alert, expression=f"{before} < {found[1]}{after}")
        yield f"{found[0]} higher", replace(alert, expression=f"{before} > {value + step}{after}")
        yield f"{found[0]} lower", replace(alert, expression=f"{before} > {value - step}{after}")
    for name in ("le, agent", "agent", "agent, provider", "namespace, pod", "drill", "data"):
        if f"by ({name})" in alert.expression:
            yield (
                f"not by {name}",
                replace(alert, expression=alert.expression.replace(f"by ({name})", "by ()")),
            )
    for matcher in ('job="agent-api",', ',route=~"/api/.*"', ',status=~"5.."', ',container!=""'):
        if matcher in alert.expression:
            yield f"without {matcher}", replace(alert, expression=alert.expression.replace(matcher, ""))
    if " or " in alert.expression:
        parts = alert.expression.split(" or ")
        for number in range(len(parts)):
            rest = " or ".join(parts[:number] + parts[number + 1 :])
            yield f"without part {number + 1}", replace(alert, expression=rest)
    yield "later", replace(alert, lasting=alert.lasting + timedelta(minutes=1))
    if alert.lasting:
        yield "sooner", replace(alert, lasting=alert.lasting - timedelta(minutes=1))
    yield "another severity", replace(alert, severity=Severity.P3)
    yield "another channel", replace(alert, channels=(*alert.channels, Channel.MAIL, Channel.PAGE))


_MUTANTS = [one for alert in CATALOGUE for one in _mutants(alert)]


def _found_out(folder: Path, alert: Alert) -> str:
    """What an alert's scenarios find wrong with it, alone in its file: rules do not build on each other."""
    return failures(folder, [alert], [scenario for scenario in SCENARIOS if scenario.alert == alert.name])


@pytest.mark.parametrize("alert", CATALOGUE, ids=lambda alert: alert.name)
def test_a_rule_without_a_mistake_is_not(tmp_path: Path, alert: Alert) -> None:
    assert not _found_out(tmp_path, alert)


@pytest.mark.parametrize(
    "mutant", [mutant for _, mutant in _MUTANTS], ids=[f"{mutant.name}: {what}" for what, mutant in _MUTANTS]
)
def test_a_mistake_in_a_rule_is_found_out(tmp_path: Path, mutant: Alert) -> None:
    assert _found_out(tmp_path, mutant)
