"""`python -m app`: serve the agent that `AGENT` names."""

from __future__ import annotations

import logging
import sys

import uvicorn
from pydantic import ValidationError

from app.llm.failures import SkipError
from app.main import build
from app.prompts.prompt import PromptError
from app.settings import read
from app.telemetry import logs

log = logging.getLogger("app")
_STORING_SECONDS = 5


def main() -> int:
    logs.configure()
    try:
        settings = read()
        app = build(settings)
    except (ValidationError, PromptError, SkipError) as error:
        log.error("cannot start: %s", error)  # noqa: TRY400 - the message says it all, a traceback nothing
        return 2
    log.info("agent %s initialized", settings.agent)
    # Requests in flight may take as long as a model does; the pod's grace period is longer still.
    drain = int(settings.llm.timeout_seconds) + _STORING_SECONDS
    uvicorn.run(app, host="0.0.0.0", port=settings.port, log_config=None, timeout_graceful_shutdown=drain)  # noqa: S104
    return 0


if __name__ == "__main__":
    sys.exit(main())
