"""A program reads its own stack's state while the engine writes it."""

from __future__ import annotations

from tests.sandbox.engine.conftest import Project

#: Each component is a step, and each step writes the state; `infra/stacks/recorded.py` reads like this.
_READS_WHAT_IS_WRITTEN = """
    import pulumi

    own = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    for number in range(100):
        pulumi.ComponentResource("trial:index:Step", f"step{number}").register_outputs({})
        pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {"stackName": own})
"""


def test_a_read_never_meets_half_a_write(project: Project) -> None:
    project.write(_READS_WHAT_IS_WRITTEN)
    project.pulumi("up", "--yes", "--skip-preview")
    backend = project.directory.parent / "backend"
    assert list(backend.rglob("*.json")), "the state is kept elsewhere"
    assert list(backend.rglob("*.attrs")) == []
