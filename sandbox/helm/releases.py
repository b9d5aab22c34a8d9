"""A revision of a Helm release and the Secret in which Helm 3 keeps it, so that `helm list` finds it.

The payload is JSON, gzipped and in base64, below the Secret's own base64.
https://helm.sh/docs/topics/kubernetes_apis/ and helm.sh/helm/v3/pkg/storage/driver
"""

from __future__ import annotations

import base64
import gzip
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

SECRET_TYPE = "helm.sh/release.v1"  # noqa: S105 (the type of a Secret)
#: Labels by which Helm finds its Secrets.
OWNER = "owner=helm"

Status = Literal["pending-install", "pending-upgrade", "deployed", "superseded", "failed", "uninstalling"]


@dataclass(frozen=True)
class Chart:
    """`version` is the chart's, `app_version` the program's."""

    name: str
    version: str
    app_version: str


@dataclass(frozen=True)
class Release:
    """One revision. `values` are the user's; `manifest` is the YAML of what was installed."""

    name: str
    namespace: str
    chart: Chart
    values: Mapping[str, Any]
    manifest: str
    revision: int
    status: Status
    description: str
    first_deployed: str
    last_deployed: str

    @property
    def secret_name(self) -> str:
        return f"sh.helm.release.v1.{self.name}.v{self.revision}"

    def now(self, status: Status, description: str) -> Release:
        return replace(self, status=status, description=description)

    def secret(self) -> dict[str, Any]:
        """The object to store."""
        labels = {
            "name": self.name,
            "owner": "helm",
            "status": self.status,
            "version": str(self.revision),
            "modifiedAt": str(int(time.time())),
        }
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": self.secret_name, "namespace": self.namespace, "labels": labels},
            "type": SECRET_TYPE,
            "data": {"release": base64.b64encode(self._packed()).decode()},
        }

    def _packed(self) -> bytes:
        document = {
            "name": self.name,
            "info": {
                "first_deployed": self.first_deployed,
                "last_deployed": self.last_deployed,
                "deleted": "",
                "description": self.description,
                "status": self.status,
            },
            "chart": {
                "metadata": {
                    "apiVersion": "v2",
                    "name": self.chart.name,
                    "version": self.chart.version,
                    "appVersion": self.chart.app_version,
                },
                "lock": None,
                "templates": [],
                "values": {},
                "schema": None,
                "files": None,
            },
            "config": dict(self.values),
            "manifest": self.manifest,
            "version": self.revision,
            "namespace": self.namespace,
        }
        return base64.b64encode(gzip.compress(json.dumps(document).encode(), mtime=0))


def read(secret: Mapping[str, Any]) -> Release | None:
    """The revision that a Secret holds; None for one that is no release, or a damaged one."""
    try:
        packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
        found = json.loads(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
        info, chart = found["info"], found["chart"]["metadata"]
        return Release(
            name=found["name"],
            namespace=found["namespace"],
            chart=Chart(chart["name"], chart["version"], chart.get("appVersion", "")),
            values=found.get("config") or {},
            manifest=found.get("manifest", ""),
            revision=found["version"],
            status=info["status"],
            description=info.get("description", ""),
            first_deployed=info.get("first_deployed", ""),
            last_deployed=info.get("last_deployed", ""),
        )
    except (KeyError, TypeError, ValueError, OSError):
        return None


def moment() -> str:
    """Now, as Helm writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
