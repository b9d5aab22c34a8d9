"""`python -m app.agents.check [FOLDER]`: whether all agents of a folder (`prompts`) are as they must be."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from app.agents import definition
from app.agents import rules as agent_rules
from app.agents.declaration import FILE
from app.agents.definition import Definition
from app.prompts import rules
from app.prompts.prompt import PromptError, load


def check(root: Path) -> tuple[list[str], list[str]]:
    """What was found, and what is wrong: one line each, beginning with the file."""
    found: list[str] = []
    wrong: list[str] = []
    agents: dict[str, Definition] = {}
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        try:
            for stem, prompt in load(folder).items():
                faults = [f"{folder / stem}.md: {fault}" for fault in rules.faults(prompt)]
                wrong += faults
                if not faults:
                    found.append(
                        f"{folder / stem}.md: version {prompt.meta.version}, about "
                        f"{rules.fixed_tokens(prompt)} tokens fixed, at most {rules.most_tokens(prompt)} "
                        f"asked and {prompt.meta.model.max_tokens} answered"
                    )
            agents[folder.name] = definition.read(folder)
        except PromptError as error:
            wrong.append(f"{folder}: {error}")
    wrong += [f"{root / agent / FILE}: {fault}" for agent, fault in agent_rules.faults(agents)]
    if not (found or wrong):
        wrong.append(f"{root}: there is no agent; expected folders <agent>/ with files <name>.md")
    return found, wrong


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 if all is well."""
    root = Path(arguments[0] if arguments else "prompts")
    if not root.is_dir():
        sys.stderr.write(f"{root} is no folder; name the one with a folder for each agent\n")
        return 2
    found, wrong = check(root)
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.stderr.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
