"""Deterministic embeddings: texts that share words lie near each other, and nothing is learned.

Every word votes for a few dimensions (by its hash) with a sign; the sum has unit length, as OpenAI's have.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from collections.abc import Mapping
from typing import Any

from sandbox.azure.cognitiveservices import tokens
from sandbox.azure.cognitiveservices.errors import invalid
from sandbox.azure.cognitiveservices.models import Model

_WORD = re.compile(r"\w+", re.UNICODE)
_VOTES = 8
_MAX_INPUTS = 2048


def answer(body: Mapping[str, Any], model: Model, texts: list[str]) -> dict[str, Any]:
    """The whole response for inputs that `read` accepted."""
    dimensions = body.get("dimensions") or model.dimensions
    as_base64 = body.get("encoding_format") == "base64"
    data = []
    for index, text in enumerate(texts):
        vector = embed(text, dimensions)
        packed = base64.b64encode(struct.pack(f"<{dimensions}f", *vector)).decode() if as_base64 else vector
        data.append({"object": "embedding", "index": index, "embedding": packed})
    used = sum(tokens.count(text) for text in texts)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": data, "model": model.name, "usage": usage}


def read(body: Mapping[str, Any], model: Model) -> list[str]:
    """The input texts. Raises the model's refusal."""
    given = body.get("input")
    if given is None:
        raise invalid("Missing required parameter: 'input'.", "input", "missing_required_parameter")
    texts = [given] if isinstance(given, str) else given
    if isinstance(texts, list) and texts and all(isinstance(one, int) for one in texts):
        texts = [texts]
    if not isinstance(texts, list) or not texts or len(texts) > _MAX_INPUTS:
        raise invalid(
            f"Invalid 'input': expected a string or 1 to {_MAX_INPUTS} strings.", "input", "invalid_type"
        )
    # Lists of token ids stand for texts; without a vocabulary their numbers are the words.
    read = [" ".join(map(str, one)) if isinstance(one, list) else one for one in texts]
    for one in read:
        if not isinstance(one, str) or not one:
            raise invalid("Invalid 'input': input cannot be an empty string.", "input", "invalid_type")
        if tokens.count(one) > model.context:
            raise invalid(
                f"This model's maximum context length is {model.context} tokens, however you requested "
                f"{tokens.count(one)} tokens. Please reduce your prompt.",
                "input",
            )
    _check_options(body, model)
    return read


def _check_options(body: Mapping[str, Any], model: Model) -> None:
    dimensions = body.get("dimensions")
    if dimensions is not None:
        if not model.resizable:
            raise invalid("This model does not support specifying dimensions.", "dimensions")
        if (
            isinstance(dimensions, bool)
            or not isinstance(dimensions, int)
            or not 1 <= dimensions <= model.dimensions
        ):
            raise invalid(
                f"Invalid value for 'dimensions' = {dimensions}. Must be less than or equal to "
                f"{model.dimensions}.",
                "dimensions",
            )
    if body.get("encoding_format", "float") not in ("float", "base64"):
        raise invalid(
            "Invalid 'encoding_format': expected 'float' or 'base64'.", "encoding_format", "invalid_value"
        )


def embed(text: str, dimensions: int) -> list[float]:
    vector = [0.0] * dimensions
    for word in _WORD.findall(text.lower()) or [text]:
        digest = hashlib.blake2b(word.encode(), digest_size=5 * _VOTES).digest()
        for vote in range(_VOTES):
            place, sign = struct.unpack_from("<IB", digest, 5 * vote)
            vector[place % dimensions] += 1.0 if sign & 1 else -1.0
    length = math.sqrt(sum(value * value for value in vector))
    if not length:
        vector[0] = length = 1.0
    return [value / length for value in vector]
