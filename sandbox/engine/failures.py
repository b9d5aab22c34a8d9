"""How a plug's refusals reach the engine: as gRPC statuses whose text is what the user reads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from sandbox.engine.values import encode

log = logging.getLogger(__name__)


class PlugError(Exception):
    """The operation failed and changed nothing that the engine has to remember. The text is for the user."""


@dataclass
class InitFailedError(Exception):
    """The resource exists but is not healthy: the engine keeps `id`, `outputs` and `inputs` in its state.

    The engine prints `reasons`, marks the resource, and runs Update on it at the next `up`.
    """

    id: str
    outputs: Mapping[str, Any]
    inputs: Mapping[str, Any]
    reasons: Sequence[str] = field(default_factory=tuple)

    def status(self) -> status_pb2.Status:
        detail = any_pb2.Any()
        detail.Pack(
            provider_pb2.ErrorResourceInitFailed(
                id=self.id,
                properties=encode(self.outputs),
                inputs=encode(self.inputs),
                reasons=self.reasons,
            )
        )
        return status_pb2.Status(
            code=grpc.StatusCode.UNKNOWN.value[0], message="\n".join(self.reasons), details=[detail]
        )


def answer(context: grpc.ServicerContext, work: Callable[[], Any]) -> Any:
    """Run one call; what it raises becomes the status the engine understands."""
    try:
        return work()
    except InitFailedError as error:
        status = error.status()
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        _abort(context, grpc.StatusCode.UNKNOWN, status.message)
    except PlugError as error:
        _abort(context, grpc.StatusCode.UNKNOWN, str(error))
    except NotImplementedError:  # from the generated base class: a call this plug does not serve
        _abort(context, grpc.StatusCode.UNIMPLEMENTED, "not implemented")
    except Exception as error:
        log.exception("unexpected failure")
        _abort(context, grpc.StatusCode.INTERNAL, f"unexpected {type(error).__name__}: {error}")


def _abort(context: grpc.ServicerContext, code: grpc.StatusCode, text: str) -> NoReturn:
    context.abort(code, text)
    raise AssertionError("unreachable: abort raises")


class Interceptor(grpc.ServerInterceptor):
    """Wraps every unary call of a server in `answer`."""

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        inner = handler.unary_unary
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: answer(context, lambda: inner(request, context)),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
