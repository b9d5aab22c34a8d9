"""`python -m benchmarks.load.router`: the model router alone behind HTTP, as LiteLLM's proxy is.

POST of a chat request to any path: its messages are asked of the router, and the answer's data comes back.
Beside the agent's process it has no store, no events and no prompt to render. Settings and packages are the
application's, and so is how it is served.
"""

from __future__ import annotations

import json

import uvicorn

from app.credentials import credential
from app.llm.router import Router, make_router
from app.prompts.prompt import Prompt, load
from app.settings import read
from app.telemetry import logs
from benchmarks.load.stubs.http import Answer, Handler, Request, answer_json, application


def handler(router: Router, prompt: Prompt) -> Handler:
    """Answers as chat completions do, as far as callers look."""

    async def handle(request: Request) -> Answer:
        if request.method != "POST":
            return answer_json({"status": "ready"})
        found = await router.complete(prompt, json.loads(request.body)["messages"])
        message = {"role": "assistant", "content": json.dumps(found.output)}
        usage = {"prompt_tokens": found.prompt_tokens, "completion_tokens": found.completion_tokens}
        return answer_json({"model": found.model, "choices": [{"message": message}], "usage": usage})

    return handle


def main() -> None:
    logs.configure()
    settings = read()
    prompt = next(iter(load(settings.prompts).values()))
    router = make_router(settings.llm, settings.agent, credential())
    app = application(handler(router, prompt))
    uvicorn.run(app, host="127.0.0.1", port=settings.port, lifespan="off", log_config=None)


if __name__ == "__main__":
    main()
