"""Which stacks are production.

Decided by the stack's name, which is part of every resource's URN: it is there in a preview, in an update and
in a state file, and no setting can be forgotten or changed to weaken the rules that hang on it. Rule
`production_is_called_so` refuses a production environment under any other name. See docs/adr/0007.
"""

from __future__ import annotations

import re

_NAME = re.compile(r"prod(uction)?(-.+)?")


def is_production(stack: str) -> bool:
    """`prod`, and stacks that belong to it: `prod-backup`, `prod-dr`."""
    return _NAME.fullmatch(stack) is not None


def is_production_environment(environment: str) -> bool:
    """Whether an `environment` tag speaks of production, in any of the ways people write it."""
    return environment.lower().startswith("prod")
