"""Questions to Resource Manager: read only, each asked once, whoever has it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Any
from urllib.parse import quote

#: Gives the answer to a GET of a path with its query, or of the whole URL of a next page. Raises AskError.
Get = Callable[[str], Any]


class AskError(Exception):
    """No answer, or a refusal. `status` is None where there was no answer at all; `code` is ARM's."""

    def __init__(self, message: str, status: int | None = None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Arm:
    """Checks run side by side and share answers. Every method raises AskError."""

    def __init__(self, get: Get) -> None:
        self._get = get
        self._lock = Lock()
        self._answers: dict[str, Future[Any]] = {}

    def read(self, path: str, version: str, filter: str = "") -> dict[str, Any]:  # noqa: A002 - OData's word
        """One answer."""
        query = f"api-version={version}" + (f"&$filter={quote(filter)}" if filter else "")
        answer: dict[str, Any] = self._once(f"{path}?{query}")
        return answer

    def find(self, path: str, version: str) -> dict[str, Any] | None:
        """One answer, None where there is no such resource."""
        try:
            return self.read(path, version)
        except AskError as error:
            if error.status == 404:
                return None
            raise

    def list(self, path: str, version: str, filter: str = "") -> list[dict[str, Any]]:  # noqa: A002
        """All pages of a listing."""
        page = self.read(path, version, filter)
        values = list(page["value"])
        while page.get("nextLink"):
            page = self._once(page["nextLink"])
            values += page["value"]
        return values

    def _once(self, url: str) -> Any:
        with self._lock:
            asked = url in self._answers
            answer = self._answers.setdefault(url, Future())
        if not asked:
            try:
                answer.set_result(self._get(url))
            except AskError as error:
                answer.set_exception(error)
            except BaseException as error:
                # Whoever waits for the same answer must not wait for ever.
                answer.set_exception(AskError(f"asking failed: {error!r}"))
                raise
        return answer.result()
