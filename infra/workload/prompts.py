"""An agent's prompts as a ConfigMap. Its name carries the content's hash, so a new prompt rolls the pods."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

ROOT = Path(__file__).resolve().parents[2] / "prompts"


def read_prompts(agent: str, root: Path = ROOT) -> dict[str, str]:
    """File name -> content of `prompts/<agent>/`. Raises RunError when the agent has none."""
    files = sorted((root / agent).glob("*.md"))
    if not files:
        raise pulumi.RunError(
            f"agents:agents.{agent} has no prompts: expected files prompts/{agent}/<name>.md. "
            "Add one, or remove the agent from the settings."
        )
    return {file.name: file.read_text(encoding="utf-8") for file in files}


def content_hash(prompts: dict[str, str]) -> str:
    text = "".join(f"{name}\0{content}\0" for name, content in sorted(prompts.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def config_map(
    agent: str, prompts: dict[str, str], namespace: str, opts: pulumi.ResourceOptions
) -> k8s.core.v1.ConfigMap:
    """The immutable ConfigMap that an agent's pods mount."""
    return k8s.core.v1.ConfigMap(
        f"{agent}-prompts",
        metadata=ObjectMetaArgs(name=f"{agent}-prompts-{content_hash(prompts)}", namespace=namespace),
        data=prompts,
        immutable=True,
        opts=opts,
    )
