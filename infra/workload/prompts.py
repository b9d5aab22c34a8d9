"""An agent's prompts and declaration as a ConfigMap, and which versions of them are served.

The ConfigMap's name carries the content's hash, so a new prompt rolls the pods: one that cannot be used stops
the first of them, and the others go on. It is not immutable: pods reload what an operator edits in it, until
the next change of the prompts leaves the edited one behind.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s
import yaml
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from infra.settings.sections import AgentSettings

ROOT = Path(__file__).resolve().parents[2] / "prompts"
#: What an agent emits and listens to, beside its prompts; an agent need not have one.
DECLARATION = "agent.yaml"


def read_prompts(agent: str, root: Path = ROOT) -> dict[str, str]:
    """File name -> content of `prompts/<agent>/`. Raises RunError when the agent has none."""
    folder = root / agent
    files = sorted(folder.glob("*.md"))
    if not files:
        raise pulumi.RunError(
            f"agents:agents.{agent} has no prompts: expected files prompts/{agent}/<name>.md. "
            "Add one, or remove the agent from the settings."
        )
    if (folder / DECLARATION).exists():
        files.append(folder / DECLARATION)
    return {file.name: file.read_text(encoding="utf-8") for file in files}


def listens(prompts: dict[str, str]) -> list[str]:
    """The event types that an agent with these files listens to, each once. Raises RunError."""
    try:
        declared = yaml.safe_load(prompts.get(DECLARATION, "{}"))
        return sorted({listener["type"] for listener in declared.get("listens", ())})
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise pulumi.RunError(
            f"{DECLARATION} cannot be read: {error!r}. `uv run python -m app.agents.check` says where."
        ) from error


def versions(settings: AgentSettings) -> dict[str, str]:
    """The variables that name pinned versions and those on trial."""
    trials = {name: trial.model_dump() for name, trial in settings.trials.items()}
    chosen = {"Prompts__Pins": settings.pins, "Prompts__Trials": trials}
    return {name: json.dumps(value, sort_keys=True) for name, value in chosen.items() if value}


def content_hash(prompts: dict[str, str]) -> str:
    text = "".join(f"{name}\0{content}\0" for name, content in sorted(prompts.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def config_map(
    agent: str, prompts: dict[str, str], namespace: str, opts: pulumi.ResourceOptions
) -> k8s.core.v1.ConfigMap:
    """The ConfigMap that an agent's pods mount."""
    return k8s.core.v1.ConfigMap(
        f"{agent}-prompts",
        metadata=ObjectMetaArgs(name=f"{agent}-prompts-{content_hash(prompts)}", namespace=namespace),
        data=prompts,
        opts=opts,
    )
