"""Every alert leads to a section that says what to do, and the figures there are the catalogue's."""

from __future__ import annotations

import re

import pytest

from infra.observability.alerts import ALERTS, Alert
from infra.observability.thresholds import HEALTH, Indicator
from tests.runbook.pages import RUNBOOK, sections

#: Sections that no alert leads to, but people and other sections.
_OTHERS = {"how-it-is", "database-connection-failure"}


def _written(indicator: Indicator, figure: float) -> str:
    if indicator.unit == "ratio":
        return f"{figure:.0%}".replace("%", " %")
    if figure < 1:
        return f"{figure * 1000:.0f} ms"
    return f"{figure:.0f} s" if figure < 60 else f"{figure / 60:.0f} min"


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_leads_to_its_section(alert: Alert) -> None:
    assert alert.section in sections()


def test_a_section_has_its_alert() -> None:
    assert set(sections()) == {alert.section for alert in ALERTS if "recovery" not in alert.section} | _OTHERS


def test_links_within_the_runbook_lead_somewhere() -> None:
    assert set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK.read_text())) <= set(sections())


@pytest.mark.parametrize("indicator", HEALTH, ids=lambda indicator: indicator.name)
def test_the_health_table_is_the_catalogues(indicator: Indicator) -> None:
    healthy, critical = (_written(indicator, figure) for figure in (indicator.healthy, indicator.critical))
    assert f"| {indicator.name} | below {healthy} | above {critical} |" in sections()["how-it-is"]
