"""The TLS context of the Azure endpoints: any name under the suffix has a certificate when asked for."""

from __future__ import annotations

import re
import ssl
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox.services import CertificateAuthority

_HOST_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{1,63}")
#: Certificates kept in memory; a client that asks for ever new names costs no more than this.
_KEPT = 512


class ServerNames:
    """Answers each TLS handshake with a certificate for the name that the client asked for (SNI); those for
    names that are `gone` fail."""

    def __init__(
        self,
        authority: CertificateAuthority,
        names: Sequence[str],
        suffix: str,
        gone: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._authority = authority
        self._gone = gone
        self._suffix = f".{suffix}"
        self._names = frozenset(names)
        self._contexts: OrderedDict[str, ssl.SSLContext] = OrderedDict()
        self.context = _context(authority, names)
        self.context.sni_callback = self._choose

    def _choose(
        self, connection: ssl.SSLSocket | ssl.SSLObject, asked: str | None, _: ssl.SSLContext
    ) -> int | None:
        name = (asked or "").lower()
        if self._gone(name):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        if self._covered(name) or not name.endswith(self._suffix) or len(name) > 253:
            return None
        if not _HOST_NAME.fullmatch(name):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        if name not in self._contexts:
            self._contexts[name] = _context(self._authority, [name])
        self._contexts.move_to_end(name)
        while len(self._contexts) > _KEPT:
            self._contexts.popitem(last=False)
        connection.context = self._contexts[name]
        return None

    def _covered(self, name: str) -> bool:
        """By one of the fixed names, or by a wildcard (which stands for one label)."""
        return name in self._names or f"*.{name.partition('.')[2]}" in self._names


def ssl_context(
    authority: CertificateAuthority,
    names: Sequence[str],
    suffix: str,
    gone: Callable[[str], bool] = lambda _: False,
) -> ssl.SSLContext:
    """Context for `names`, and on demand for every other name under `suffix`; none for those `gone`."""
    return ServerNames(authority, names, suffix, gone).context


def _context(authority: CertificateAuthority, names: Sequence[str]) -> ssl.SSLContext:
    chain, key = authority.issue(names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # OpenSSL's Python binding reads certificates from files only.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "server.pem"
        file.write_text(chain + key)
        context.load_cert_chain(file)
    return context
