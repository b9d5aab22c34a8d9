"""dev is widened in a copy only, and what a killed drill left of a stamp is undone without losing data."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import yaml

from drills import stamp
from drills.disasters.geo_restore import GeoRestore
from drills.project import copied
from drills.shell import ROOT, Shell
from drills.stack import Stack
from drills.timeline import Timeline
from infra.settings.base import values_of
from infra.settings.reading import parse
from tests.drills.scripted import Scripted, stacks

HOME = {
    "pulumi stack ls": stacks("dev", "dev-dr"),
    "failover-group list": json.dumps([{"name": "fog-agents-dev", "replicationState": "CATCH_UP"}]),
    "cosmosdb show": json.dumps({"writeLocations": [{"locationName": "North Europe"}]}),
    "group show": json.dumps({"location": "westeurope"}),
    "list-deleted": "[]",
}
STEPS = (
    "failover-group set-primary",
    "cosmosdb failover-priority-change",
    "destroy -s dev-dr",
    "group delete",
    "stack rm -s dev-dr",
    "up -s dev --yes --skip-preview --refresh",
)


def on(shell: Shell, folder: Path) -> Stack:
    return Stack(shell, Timeline(), folder)


def test_the_copy_has_two_regions_and_a_stamp_and_the_checkout_has_not(tmp_path: Path) -> None:
    before = (ROOT / "Pulumi.dev.yaml").read_bytes()
    project = copied(Scripted(), tmp_path / "project").folder
    stamp.write_settings(project, "dev")
    wide = parse(values_of("dev", project), "dev", project)
    assert (wide.location, wide.paired_location, wide.registry.sku) == (
        "westeurope",
        "northeurope",
        "Premium",
    )
    own = parse(values_of("dev-dr", project), "dev-dr", project)
    assert (own.role, own.source, own.location) == ("recovery", "dev", "northeurope")
    assert own.agents == wide.agents
    assert (ROOT / "Pulumi.dev.yaml").read_bytes() == before
    assert not (ROOT / "Pulumi.dev-dr.yaml").exists()


def test_the_copy_runs_its_own_program(tmp_path: Path) -> None:
    """A second copy takes the place of the first, of which something may be left."""
    (tmp_path / "project" / "infra").mkdir(parents=True)
    shell = copied(Shell({}), tmp_path / "project")
    asked = shell.run(sys.executable, "-P", "-c", "import infra; print(infra.__file__)")
    assert asked.out.strip() == str(tmp_path / "project" / "infra" / "__init__.py")


def test_without_a_stamp_nothing_is_touched(tmp_path: Path) -> None:
    shell = Scripted(answers={"pulumi stack ls": stacks("dev", "dev-backup")})
    assert stamp.clear_away(on(shell, tmp_path)) is False
    assert len(shell.ran) == 1


def test_the_data_come_home_before_anything_is_taken_away(tmp_path: Path) -> None:
    shell = Scripted(answers=HOME)
    assert stamp.clear_away(on(shell, tmp_path)) is True
    assert shell.order(*STEPS) == [STEPS[0], STEPS[1], STEPS[2], STEPS[4], STEPS[5]]
    assert "--allow-data-loss" not in "".join(shell.ran)


def test_data_that_are_at_home_stay(tmp_path: Path) -> None:
    """Killed while dev was widened, or before it took over: there may be no second server yet."""
    there = {"writeLocations": [{"locationName": "West Europe"}]}
    answers = {**HOME, "failover-group list": "[]", "cosmosdb show": json.dumps(there)}
    shell = Scripted(answers=answers)
    stamp.clear_away(on(shell, tmp_path))
    assert shell.order(*STEPS) == [STEPS[2], STEPS[4], STEPS[5]]


def test_half_a_stamp_goes_with_its_group(tmp_path: Path) -> None:
    shell = Scripted(answers={**HOME, "destroy -s dev-dr": (255, "half"), "group exists": "true"})
    stamp.clear_away(on(shell, tmp_path))
    assert shell.order(*STEPS)[2:] == list(STEPS[2:])
    assert "az group delete -n rg-agents-dev-dr --yes" in shell.ran


def test_a_region_is_whole_when_nodes_are_ready_and_the_copy_has_caught_up(tmp_path: Path) -> None:
    seeding = {"failover-group list": json.dumps([{"name": "fog-agents-dev", "replicationState": "SEEDING"}])}
    no_group, no_server = {"failover-group list": "[]"}, {"failover-group list": (1, "no answer")}
    no_node = {**HOME, "kubectl wait": (1, "timed out")}
    for answers, whole in (
        (HOME, True),
        (no_group, True),
        (seeding, False),
        (no_server, False),
        (no_node, False),
    ):
        assert stamp.is_whole(on(Scripted(answers=answers), tmp_path)) is whole


def test_only_what_a_stamp_left_is_purged(tmp_path: Path) -> None:
    place = "/subscriptions/s/providers/Microsoft.CognitiveServices/locations/northeurope/resourceGroups"
    deleted = [
        {"name": name, "id": f"{place}/{group}/deletedAccounts/{name}"}
        for name, group in (("oai-agents-dev-dr", "rg-agents-dev-dr"), ("oai-agents-dev", "rg-agents-dev"))
    ]
    vaults = [{"name": "kv-agents-dev-dr"}, {"name": "kv-agents-dev"}]
    shell = Scripted(
        answers={
            "keyvault list-deleted": json.dumps(vaults),
            "cognitiveservices account list-deleted": json.dumps(deleted),
        }
    )
    stamp.Stamp(on(shell, tmp_path)).purge()
    assert [line for line in shell.ran if "purge" in line] == [
        "az keyvault purge -n kv-agents-dev-dr",
        "az cognitiveservices account purge -n oai-agents-dev-dr -l northeurope -g rg-agents-dev-dr",
    ]


def test_the_way_back_is_what_the_documents_say(tmp_path: Path) -> None:
    shell = Scripted(answers={"list-deleted": "[]"})
    made = stamp.Stamp(on(shell, tmp_path))
    made.enter("drained")
    made.enter("returned")
    made.take_back(made.stack.timeline.began)
    made.remove()
    said = " ".join((ROOT / "docs" / "recovery.md").read_text(encoding="utf-8").split())
    said = said[said.index("## The way back") :]
    changes = ("phase drained", "phase returned", "agents:republish", "agents:protect false", "destroy")
    assert shell.order(*changes, "stack rm") == [*changes, "stack rm"]
    assert sorted(changes, key=said.index) == list(changes)
    republished = next(line for line in shell.ran if "agents:republish" in line)
    assert "-s dev " in republished
    assert republished.endswith("Z")


def test_a_stamp_with_data_of_its_own_is_fetched_by_the_setting_that_the_documents_have(
    tmp_path: Path,
) -> None:
    shell = Scripted(answers={"list-deleted": "[]"})
    made = stamp.Stamp(on(shell, tmp_path), GeoRestore.wider, GeoRestore.own)
    project = made.source.shell.folder
    wide = parse(values_of("dev", project), "dev", project)
    own = parse(values_of("dev-dr", project), "dev-dr", project)
    assert (wide.sql.failover_group, own.recovery.sql, own.recovery.cosmos) == (
        False,
        "geo-restore",
        "failover",
    )
    settings = GeoRestore().take_back(made, datetime(2026, 11, 29, 14, 30, 0, 500_000, UTC))
    assert shell.order("agents:republish", "up -s dev ") == ["agents:republish", "up -s dev "]
    fetched = parse(values_of("dev", project), "dev", project)
    kept = yaml.safe_load(settings.read_text(encoding="utf-8"))["config"]
    (entry,) = fetched.restores
    assert (entry.services, entry.stamp) == (("sql",), "dev-dr")
    assert entry.as_of == datetime(2026, 11, 29, 14, 30, tzinfo=UTC)
    assert kept["agents:restores"] == [
        {"as_of": "2026-11-29T14:30:00Z", "services": ["sql"], "stamp": "dev-dr"}
    ]
    assert "agents:paired_location" not in kept


def test_a_stack_that_is_there_is_not_a_stamp_of_another(tmp_path: Path) -> None:
    shell = Scripted(answers={"pulumi stack ls": stacks("dev", "prod-dr")})
    assert stamp.clear_away(on(shell, tmp_path)) is False
