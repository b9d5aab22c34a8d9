"""What an execution of each agent costs in tokens, by the sandbox's estimate, over its prompt's examples.

The answer is one that fits the output schema, not one that a model wrote: real ones are longer or shorter.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from app.prompts.prompt import Prompt, load
from benchmarks.load.environments import ROOT
from sandbox.azure.cognitiveservices import material, sampling, tokens


@dataclass(frozen=True)
class PromptCost:
    """Tokens of one execution; `max_tokens` is what the model may answer with at most."""

    agent: str
    prompt_tokens: int
    completion_tokens: int
    max_tokens: int


def costs(folder: Path = ROOT / "prompts") -> list[PromptCost]:
    """Of every agent, in order; one with several prompts costs their average."""
    found = []
    for agent in sorted(path for path in folder.iterdir() if path.is_dir()):
        each = [_cost(agent.name, prompt) for prompt in load(agent).values()]
        found.append(
            PromptCost(
                agent.name,
                prompt_tokens=round(mean(one.prompt_tokens for one in each)),
                completion_tokens=round(mean(one.completion_tokens for one in each)),
                max_tokens=round(mean(one.max_tokens for one in each)),
            )
        )
    return found


def _cost(agent: str, prompt: Prompt) -> PromptCost:
    asked, answered = [], []
    for example in prompt.meta.examples:
        messages = prompt.render(example)
        asked.append(tokens.count_messages(messages, prompt.meta.output))
        answer = sampling.sample(prompt.meta.output, material.read(messages))
        answered.append(tokens.count(json.dumps(answer, ensure_ascii=False)))
    return PromptCost(agent, round(mean(asked)), round(mean(answered)), prompt.meta.model.max_tokens)
