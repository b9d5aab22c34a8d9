"""Copies of secrets: what goes in comes out, and nothing else does."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.backup.format import CorruptError, Name, Secret, seal, unseal
from tests.app.backup.keys import LocalKey

NAME = Name("kv-agents-prod", "pagerduty-url", "0123456789abcdef0123456789abcdef")
SECRET = Secret(NAME, "https://canary", 1_800_000_000, tags={"owner": "ops"}, expires=1_900_000_000)
_PARTS = ("header", "wrapped key", "nonce", "ciphertext", "tag")
_SECONDS = st.none() | st.integers(0, 2**40)


def _sealed(secret: Secret = SECRET) -> bytes:
    return asyncio.run(seal(secret, LocalKey()))


def _unsealed(blob: bytes, name: Name = NAME) -> Secret:
    return asyncio.run(unseal(blob, name, LocalKey()))


@settings(max_examples=50)
@given(
    st.builds(
        Secret,
        name=st.just(NAME),
        value=st.text(max_size=2000),
        created=st.integers(0, 2**40),
        enabled=st.booleans(),
        content_type=st.none() | st.text(max_size=50),
        not_before=_SECONDS,
        expires=_SECONDS,
        tags=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=15),
    )
)
def test_every_secret_comes_back_as_it_was(secret: Secret) -> None:
    assert _unsealed(_sealed(secret)) == secret


def test_it_is_a_jwe_as_the_standard_has_it() -> None:
    """Read without the code that wrote it: RFC 7516, section 7.1."""
    header, wrapped, nonce, _, tag = _sealed().split(b".")
    assert jwt.utils.base64url_decode(tag).__len__() == 16
    assert len(jwt.utils.base64url_decode(nonce)) == 12
    assert len(jwt.utils.base64url_decode(wrapped)) == 256
    assert json.loads(jwt.utils.base64url_decode(header)) == {
        "alg": "RSA-OAEP-256",
        "enc": "A256GCM",
        "kid": LocalKey.kid,
        "vault": NAME.vault,
        "secret": NAME.secret,
        "version": NAME.version,
    }


def test_the_value_is_in_no_part_of_it() -> None:
    for part in _sealed().split(b"."):
        assert b"canary" not in base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def test_two_copies_of_one_secret_share_neither_key_nor_nonce() -> None:
    one, other = _sealed().split(b"."), _sealed().split(b".")
    assert all(mine != yours for mine, yours in zip(one[1:], other[1:], strict=True))


@pytest.mark.parametrize("part", range(len(_PARTS)), ids=_PARTS)
@settings(max_examples=20)
@given(data=st.data())
def test_a_bit_that_is_changed_anywhere_is_found_out(part: int, data: st.DataObject) -> None:
    parts = [jwt.utils.base64url_decode(one) for one in _sealed().split(b".")]
    content = bytearray(parts[part])
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    parts[part] = bytes(content)
    with pytest.raises(CorruptError):
        _unsealed(b".".join(jwt.utils.base64url_encode(one) for one in parts))


@pytest.mark.parametrize("field", ["vault", "secret", "version"])
def test_a_copy_in_anothers_place_is_not_taken_for_it(field: str) -> None:
    with pytest.raises(CorruptError, match="this is a copy of"):
        _unsealed(_sealed(), replace(NAME, **{field: "other"}))


@pytest.mark.parametrize(
    ("blob", "why"),
    [
        (b"", "5 parts"),
        (b"a.b.c", "5 parts"),
        (b"!.b.c.d.e", "base64url"),
        (b"bm8.b.c.d.e", "no JSON"),
        (b"W10.b.c.d.e", "no JSON object"),
        (b"e30.b.c.d.e", "alg is None"),
    ],
    ids=["empty", "three parts", "no base64", "no json", "no object", "no algorithm"],
)
def test_what_is_no_copy_is_refused_with_what_is_wrong(blob: bytes, why: str) -> None:
    with pytest.raises(CorruptError, match=why):
        _unsealed(blob)


@pytest.mark.parametrize("blob", ["", "vault/secret", "vault//version", "a/b/c/d"], ids=repr)
def test_what_is_not_called_like_a_copy_is_refused(blob: str) -> None:
    with pytest.raises(CorruptError, match="not named"):
        Name.parse(blob)
    assert Name.parse(str(NAME)) == NAME
