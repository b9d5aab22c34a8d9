"""What recovery drills found, for Prometheus: read from a file that whoever drills puts there.

The file is a ConfigMap of the environment, mounted where there is one (docs/adr/0017-drill-figures.md). It is
read whenever Prometheus asks, so that a new figure needs no restart.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, ValidationError

log = logging.getLogger(__name__)


class DrillResult(BaseModel):
    """Times are seconds since 1970, UTC. The figures are those of the last success; None before the first."""

    model_config = ConfigDict(extra="forbid")

    last_run: NonNegativeFloat
    last_success: NonNegativeFloat | None = None
    rto_seconds: NonNegativeFloat | None = None
    rpo_seconds: NonNegativeFloat | None = None


class DrillResults(BaseModel):
    """By the drill's name."""

    model_config = ConfigDict(extra="forbid")

    drills: dict[str, DrillResult] = {}


#: Metric, attribute, help.
_GAUGES = (
    ("drill_last_run_timestamp_seconds", "last_run", "When the drill was last run."),
    ("drill_last_success_timestamp_seconds", "last_success", "When the drill last passed."),
    ("drill_rto_seconds", "rto_seconds", "From failure to first answer, when it last passed."),
    ("drill_rpo_seconds", "rpo_seconds", "How far back data was lost, when it last passed."),
)


class DrillCollector(Collector):
    """Without the file there is no figure, and an alert says so; a broken one is as good as none."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def collect(self) -> Iterator[GaugeMetricFamily]:
        results = self._read().drills
        for name, attribute, text in _GAUGES:
            family = GaugeMetricFamily(name, text, labels=["drill"])
            for drill, result in sorted(results.items()):
                value = getattr(result, attribute)
                if value is not None:
                    family.add_metric([drill], value)
            yield family

    def _read(self) -> DrillResults:
        try:
            return DrillResults.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return DrillResults()
        except (OSError, ValidationError) as error:
            log.warning("%s is of no use: %s", self._file, str(error).split("\n", 1)[0])
            return DrillResults()


def expose(file: Path, registry: CollectorRegistry = REGISTRY) -> None:
    registry.register(DrillCollector(file))
