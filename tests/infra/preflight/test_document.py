"""What docs/azure.md says is what the pre-flight finds and where it sends its reader."""

from __future__ import annotations

import re

from infra.preflight.checks import machines, reach
from tests.infra.preflight.recorded import ROOT, Azure, found, stack

TEXT = (ROOT / "docs" / "azure.md").read_text()


def test_the_cores_that_it_names(azure: Azure) -> None:
    total = [found(machines.cores, azure, stack(name))[0].found.split()[0] for name in ("dev", "prod")]
    assert f"| family and region | {total[0]} | {total[1]} |" in TEXT


def test_the_sections_that_findings_name(azure: Azure) -> None:
    findings = [*found(reach.network, azure), *found(reach.secrets, azure)]
    named = {match[1] for one in findings if (match := re.search(r"docs/azure\.md, section (.+)$", one.mend))}
    assert named == {"Private clusters", "State and secrets"}
    assert named <= set(re.findall(r"^## (.+)$", TEXT, re.MULTILINE))


def _headings(text: str) -> set[str]:
    """As GitHub names them in links."""
    return {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-")
        for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        text = (ROOT / "docs" / file).read_text() if file else TEXT
        assert not heading or heading in _headings(text), target
