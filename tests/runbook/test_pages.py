"""Every alert leads to a section that says what to do, and the figures there are the catalogue's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.observability.alerts import ALERTS, Alert
from infra.observability.alerts import RECOVERY as RECOVERY_PAGE
from infra.observability.backup_alerts import BACKUP_ALERTS
from infra.observability.drill_alerts import DRILL_ALERTS
from infra.observability.thresholds import HEALTH, Indicator
from tests.runbook.pages import RECOVERY, ROOT, RUNBOOK, anchors, sections

_EVERY_ALERT = (*ALERTS, *DRILL_ALERTS, *BACKUP_ALERTS)

#: Sections that no alert leads to, but people and other sections.
_OTHERS = {"how-it-is", "database-connection-failure"}


def _written(indicator: Indicator, figure: float) -> str:
    if indicator.unit == "ratio":
        return f"{figure:.0%}".replace("%", " %")
    if figure < 1:
        return f"{figure * 1000:.0f} ms"
    return f"{figure:.0f} s" if figure < 60 else f"{figure / 60:.0f} min"


@pytest.mark.parametrize("alert", _EVERY_ALERT, ids=lambda alert: alert.name)
def test_an_alert_leads_to_its_section(alert: Alert) -> None:
    assert alert.section in anchors(ROOT / alert.document)


def test_a_section_has_its_alert() -> None:
    assert set(sections()) == _led_to(RUNBOOK) | _OTHERS


@pytest.mark.parametrize(
    "alert", [one for one in _EVERY_ALERT if one.document == RECOVERY_PAGE], ids=lambda alert: alert.name
)
def test_the_section_on_recovery_names_its_alert(alert: Alert) -> None:
    """Twice: where it is dealt with, and in the table that leads there."""
    table, *_ = RECOVERY.read_text().split("\n## ")[1:]
    assert f"`{alert.name}`" in table
    assert f"](#{alert.section})" in table
    assert RECOVERY.read_text().count(f"`{alert.name}`") > table.count(f"`{alert.name}`")


def _led_to(document: Path) -> set[str]:
    return {alert.section for alert in _EVERY_ALERT if ROOT / alert.document == document}


@pytest.mark.parametrize("document", [RUNBOOK, RECOVERY], ids=lambda path: path.stem)
def test_links_lead_somewhere(document: Path) -> None:
    """Within the document, and to sections of those beside it."""
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        led_to = (document.parent / name) if name else document
        assert led_to.exists(), target
        assert not anchor or anchor in anchors(led_to), target


@pytest.mark.parametrize("indicator", HEALTH, ids=lambda indicator: indicator.name)
def test_the_health_table_is_the_catalogues(indicator: Indicator) -> None:
    healthy, critical = (_written(indicator, figure) for figure in (indicator.healthy, indicator.critical))
    assert f"| {indicator.name} | below {healthy} | above {critical} |" in sections()["how-it-is"]
