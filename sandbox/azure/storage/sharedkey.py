"""Signing with an account's key ("Authorize with Shared Key" in Storage's REST documentation).

The gateway signs what it passes on, so that the server behind it needs to know nothing of tokens.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from email.utils import formatdate
from urllib.parse import unquote

Headers = Sequence[tuple[str, str]]

_SIGNED = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)
#: The order of header names is a dictionary's, where punctuation comes before digits.
_COLLATION = str.maketrans({"_": "\x01", "-": "\x02"})


def sign(account: str, key: str, method: str, target: str, headers: Headers) -> list[tuple[str, str]]:
    """The headers to send: the ones given (lower case) with date and signature. `target` is path and "
    "query, raw."""
    kept = [(name, value) for name, value in headers if name != "authorization"]
    if not any(name == "x-ms-date" for name, _ in kept):
        kept.append(("x-ms-date", formatdate(usegmt=True)))
    single = dict(kept)
    values = [
        "" if (v := single.get(name, "")) == "0" and name == "content-length" else v for name in _SIGNED
    ]
    text = (
        "\n".join([method.upper(), *values])
        + "\n"
        + _canonical_headers(kept)
        + _canonical_resource(account, target)
    )
    digest = hmac.digest(base64.b64decode(key), text.encode(), hashlib.sha256)
    return [*kept, ("authorization", f"SharedKey {account}:{base64.b64encode(digest).decode()}")]


def _canonical_headers(headers: Headers) -> str:
    own = sorted(
        (name.translate(_COLLATION), name, value) for name, value in headers if name.startswith("x-ms-")
    )
    return "".join(f"{name}:{value.strip()}\n" for _, name, value in own)


def _canonical_resource(account: str, target: str) -> str:
    path, _, query = target.partition("?")
    pairs = [part.split("=") for part in query.split("&")]
    values = {
        pair[0].lower(): unquote(pair[1].replace("+", "%20")) for pair in pairs if len(pair) == 2 and pair[0]
    }
    return f"/{account}{path}" + "".join(f"\n{name}:{values[name]}" for name in sorted(values))
