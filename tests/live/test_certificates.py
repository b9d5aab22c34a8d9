"""The ingress serves what cert-manager had issued and issues again; agents are scaled by what they use."""

from __future__ import annotations

import base64
import json
import socket
import ssl
from typing import Any

import pytest
from cryptography import x509

from tests.live.test_kubectl import _until
from tests.sandboxed import Sandbox

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

NS = ("-n", "agents-dev")
NAME = "agents-tls"


def _json(sandbox: Sandbox, *what: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sandbox.kubectl("get", *what, *NS, "-o", "json"))
    return found


def _condition(value: dict[str, Any], kind: str) -> dict[str, Any]:
    conditions = (value.get("status") or {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), {})


def _ready(value: dict[str, Any]) -> bool:
    return _condition(value, "Ready").get("status") == "True" and not _condition(value, "Issuing")


def _held(sandbox: Sandbox) -> x509.Certificate:
    data = _json(sandbox, "secret", NAME)["data"]
    return x509.load_pem_x509_certificate(base64.b64decode(data["tls.crt"]))


def _served(sandbox: Sandbox, host: str) -> x509.Certificate:
    """What a client gets that trusts what a user of the sandbox trusts."""
    context = ssl.create_default_context(cafile=sandbox.env["SSL_CERT_FILE"])
    with (
        socket.create_connection((host, 443), 10) as line,
        context.wrap_socket(line, server_hostname=host) as secure,
    ):
        found = secure.getpeercert(binary_form=True)
    assert found is not None
    return x509.load_der_x509_certificate(found)


@pytest.fixture
def host(sandbox: Sandbox) -> str:
    ingress = _json(sandbox, "ingress", "agents")
    name: str = ingress["spec"]["tls"][0]["hosts"][0]
    return name


def test_the_ingress_serves_what_cert_manager_had_issued(sandbox: Sandbox, host: str) -> None:
    certificate = _json(sandbox, "certificate", NAME)
    assert _ready(certificate), certificate.get("status")
    held = _held(sandbox)
    names = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [host]
    assert _until(lambda: _served(sandbox, host).serial_number, lambda one: one == held.serial_number)
    described = sandbox.kubectl("describe", "certificate", NAME, *NS)
    assert "Certificate is up to date and has not expired" in described


def test_a_certificate_that_was_taken_away_comes_back(sandbox: Sandbox, host: str) -> None:
    before = _held(sandbox).serial_number
    sandbox.kubectl("delete", "secret", NAME, *NS)
    revised = _until(
        lambda: _json(sandbox, "certificate", NAME),
        lambda one: _ready(one) and sandbox.run("kubectl", "get", "secret", NAME, *NS, check=False).code == 0,
    )
    after = _held(sandbox).serial_number
    assert after != before
    assert _until(lambda: _served(sandbox, host).serial_number, lambda one: one == after)
    (request,) = _json(sandbox, "certificaterequest")["items"]
    assert request["metadata"]["name"] == f"{NAME}-{revised['status']['revision']}"
    assert sandbox.pulumi("preview", "-s", "dev", "--expect-no-changes").code == 0


def test_agents_are_scaled_by_what_they_use(sandbox: Sandbox) -> None:
    def measured() -> dict[str, Any]:
        return _condition(_json(sandbox, "hpa", "notification-agent"), "ScalingActive")

    found = _until(measured, lambda one: one.get("status") == "True", 180)
    assert found["reason"] == "ValidMetricFound"
