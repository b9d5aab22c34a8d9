"""Azure OpenAI's refusals, in its wording: `{"error": {"code", "message", "type", "param", "
""innererror"}}`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class OpenAIError(Exception):
    """`envelope` False leaves out type and param, as the gateway in front of the models does."""

    status: int
    code: str | None
    message: str
    kind: str | None = None
    param: str | None = None
    inner: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    envelope: bool = True

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.envelope:
            error |= {"type": self.kind, "param": self.param}
        if self.inner is not None:
            error |= {"status": self.status, "innererror": self.inner}
        return {"error": error}


def gateway(status: int, code: str, message: str, **headers: str) -> OpenAIError:
    return OpenAIError(status, code, message, headers=headers, envelope=False)


def invalid(message: str, param: str | None = None, code: str | None = None) -> OpenAIError:
    """The model's own refusal of a request."""
    return OpenAIError(400, code, message, "invalid_request_error", param)


def resource_not_found() -> OpenAIError:
    return gateway(404, "404", "Resource not found")


def deployment_not_found() -> OpenAIError:
    return gateway(
        404,
        "DeploymentNotFound",
        "The API deployment for this resource does not exist. If you created the deployment within the "
        "last 5 minutes, please wait a moment and try again.",
    )


def model_retired(model: str, version: str) -> OpenAIError:
    """The status is what Microsoft's lifecycle page says; the words are not published."""
    return gateway(410, "410", f"The model {model} {version} of this deployment is retired.")


def operation_not_supported(operation: str, model: str) -> OpenAIError:
    return gateway(
        400,
        "OperationNotSupported",
        f"The {operation} operation does not work with the specified model, {model}. Please choose "
        "different model and try again. You can learn more about which models can be used with each "
        "operation here: https://go.microsoft.com/fwlink/?linkid=2197993.",
    )
