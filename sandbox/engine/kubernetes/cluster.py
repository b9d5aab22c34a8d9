"""The cluster behind one provider instance: its settings, its client, and whether it answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine.caller import Caller
from sandbox.engine.failures import PlugError
from sandbox.engine.kubernetes import settings as configuration
from sandbox.engine.kubernetes.check import cluster_wide
from sandbox.engine.kubernetes.client import Client
from sandbox.engine.kubernetes.objects import DEFAULT_NAMESPACE, Kind
from sandbox.engine.kubernetes.settings import Settings

#: Seconds for which an unreachable cluster is not asked again.
_FORGET_SECONDS = 10.0


@dataclass
class Cluster:
    settings: Settings
    #: None when the kubeconfig cannot be used; `problem` says why.
    client: Client | None
    _problem: str | None = None
    _asked: float = float("-inf")
    _answers: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def problem(self) -> str | None:
        """Why the cluster cannot be worked with now; None when it can."""
        with self._lock:
            if self.client is None or self._answers or time.monotonic() - self._asked < _FORGET_SECONDS:
                return None if self._answers else self._problem
            try:
                self.client.reach()
                self._answers, self._problem = True, None
            except PlugError as error:
                self._problem = str(error)
            self._asked = time.monotonic()
            return self._problem

    def require(self) -> Client:
        """The client. Raises PlugError when the cluster cannot be reached."""
        problem = self.problem()
        if self.client is None or problem:
            raise PlugError(f"configured Kubernetes cluster is unreachable: {problem}")
        return self.client

    def namespace_for(self, kind: Kind) -> str | None:
        """The namespace that an object gets when it names none; None for the default one, or no namespace."""
        if self.settings.namespace == DEFAULT_NAMESPACE or cluster_wide(kind.kind):
            return None
        try:
            return self.settings.namespace if self.require().served(kind).namespaced else None
        except PlugError:  # a CRD that is yet to be made: most have namespaces
            return self.settings.namespace


def connect(config: Mapping[str, Any], who: Caller) -> Cluster:
    """Never fails: a preview must work while the kubeconfig's cluster is not there."""
    try:
        access = configuration.access(config, who)
    except PlugError as error:
        return Cluster(configuration.settings(config, who.environment, None), None, str(error))
    found = configuration.settings(config, who.environment, access.namespace)
    return Cluster(found, configuration.connect(access, who))
