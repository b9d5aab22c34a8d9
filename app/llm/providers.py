"""Clients of the model providers, Azure OpenAI and Ollama, all through the `openai` SDK."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError
from openai import AsyncOpenAI, AsyncStream, DefaultAioHttpClient, OpenAIError, Timeout
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from app.llm import tokens
from app.llm.chat import Answer, Chat
from app.llm.classify import classify
from app.llm.dialect import Dialect
from app.llm.failures import Kind, LLMError
from app.settings import ProviderName

# A handshake across a continent takes a fraction of this; who does not answer it is not there.
_CONNECT_SECONDS = 5.0
# Posted as it is: `chat.completions.create` goes through every parameter for what its types would rename, the
# schema and all messages too, which is a tenth of what a whole request costs.
_PATH = "/chat/completions"
_CANNOT_READ = (ValueError, TypeError, AttributeError)


def make_client(base_url: str, key: str | Callable[[], Awaitable[str]]) -> AsyncOpenAI:
    """A client of one endpoint that does not retry; `key` may be asked for anew."""
    # Over aiohttp: the SDK's default looks at every open connection for every request, so that a call takes
    # twice the processor's time when a hundred are under way.
    return AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0, http_client=DefaultAioHttpClient())


class Provider:
    """A named client for one endpoint and one model, which is spoken to in its `dialect`.

    `client` is one of `make_client`: failures are told apart by what its way of speaking HTTP raises.
    `system` is the provider's name in the OpenTelemetry GenAI conventions.
    """

    def __init__(
        self, name: ProviderName, system: str, client: AsyncOpenAI, model: str, dialect: Dialect
    ) -> None:
        self.name, self.system, self.model, self.dialect = name, system, model, dialect
        self._client = client

    @property
    def host(self) -> str:
        return self._client.base_url.host

    async def complete(self, chat: Chat, seconds: float) -> Answer:
        """The model's whole answer. `seconds` bound each wait for the network. Raises LLMError."""
        try:
            answer = await self._client.post(
                _PATH, cast_to=ChatCompletion, body=self._body(chat), options=_within(seconds)
            )
            return self._read(answer, chat)
        except (OpenAIError, AzureError, *_CANNOT_READ) as error:
            raise classify(self.name, error) from error

    async def stream(self, chat: Chat, seconds: float) -> AsyncGenerator[str | Answer, None]:
        """The answer's text in pieces as they come, then all of it. Raises LLMError."""
        try:
            chunks = await self._client.post(
                _PATH,
                cast_to=ChatCompletion,
                body={**self._body(chat), "stream": True, "stream_options": {"include_usage": True}},
                options=_within(seconds),
                stream=True,
                stream_cls=AsyncStream[ChatCompletionChunk],
            )
            gathered = _Gathered()
            async with chunks:
                async for chunk in chunks:
                    if piece := gathered.add(chunk):
                        yield piece
            yield self._finished(gathered, chat)
        except (OpenAIError, AzureError, *_CANNOT_READ) as error:
            raise classify(self.name, error) from error

    async def check(self) -> None:
        """Reach the endpoint as this identity, without spending tokens. Raises LLMError."""
        try:
            await self._client.models.list()
        except (OpenAIError, AzureError, *_CANNOT_READ) as error:
            raise classify(self.name, error) from error

    async def close(self) -> None:
        await self._client.close()

    def _body(self, chat: Chat) -> dict[str, Any]:
        return {
            "model": self.model,
            "messages": list(chat.messages),
            **self.dialect.parameters(chat),
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": chat.schema, "strict": True},
            },
        }

    def _read(self, answer: ChatCompletion, chat: Chat) -> Answer:
        """The SDK builds its model from whatever the answer's JSON holds."""
        choice = answer.choices[0] if answer.choices else None
        if choice is None:
            raise ValueError("no choice in the answer")
        message = choice.message
        gathered = _Gathered(
            text=message.content or "",
            refusal=message.refusal or "",
            finish_reason=choice.finish_reason,
            model=answer.model,
            id=answer.id,
            usage=answer.usage,
        )
        return self._finished(gathered, chat)

    def _finished(self, gathered: _Gathered, chat: Chat) -> Answer:
        if not gathered.finish_reason:
            raise LLMError(self.name, "the answer broke off", Kind.RESET)
        answer = Answer(
            text=gathered.text,
            provider=self.name,
            model=gathered.model or self.model,
            id=gathered.id,
            finish_reason=gathered.finish_reason,
            prompt_tokens=gathered.usage.prompt_tokens if gathered.usage else chat.prompt_tokens,
            completion_tokens=(
                gathered.usage.completion_tokens
                if gathered.usage
                # What it thought is not seen: as much as it might have.
                else self.dialect.thought + tokens.of_text(gathered.text)
            ),
        )
        if gathered.finish_reason == "content_filter":
            raise FilteredError(answer, "the model's answer was held back by the content filter")
        if gathered.refusal:
            raise FilteredError(answer, "the model refused to answer")
        return answer


class FilteredError(LLMError):
    """An answer that was produced, and is not given out; it costs like any other."""

    def __init__(self, answer: Answer, message: str) -> None:
        super().__init__(answer.provider, message, Kind.CONTENT_FILTER)
        self.answer = answer


@dataclass
class _Gathered:
    """What has come of an answer so far."""

    text: str = ""
    refusal: str = ""
    finish_reason: str | None = None
    model: str = ""
    id: str = ""
    usage: CompletionUsage | None = None

    def add(self, chunk: ChatCompletionChunk) -> str:
        """The text that this chunk adds."""
        self.id, self.model = chunk.id or self.id, chunk.model or self.model
        self.usage = chunk.usage or self.usage
        # Azure's first chunk has filter results and no choice, the last one usage and no choice.
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self.finish_reason = choice.finish_reason or self.finish_reason
        self.refusal += choice.delta.refusal or ""
        piece = choice.delta.content or ""
        self.text += piece
        return piece


def _within(seconds: float) -> Any:
    """As the SDK takes it; its type for that is private."""
    return {"timeout": Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))}
