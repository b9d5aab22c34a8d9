"""Numbers and paragraphs as people read them."""

from __future__ import annotations

import textwrap

_STEPS = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_WIDTH = 118


def paragraph(text: str) -> str:
    """Broken into lines, between words only."""
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def quantity(value: float, unit: str = "") -> str:
    """Three figures and a prefix: 1,234,000 B is `1.23 MB`."""
    for step, prefix in _STEPS:
        # So that 999,999 is a million and not a thousand thousands.
        if float(f"{value:.3g}") >= step:
            return f"{value / step:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}".rstrip()


def money(value: float) -> str:
    """Dollars, no more exact than two figures say."""
    digits = len(f"{value:.0f}")
    return f"{round(value, 2 - digits):,.0f}"


def share(value: float) -> str:
    """In per cent, to a tenth."""
    return f"{round(value * 100, 1):g} %"


def seconds(value: float | None) -> str:
    """None is never."""
    if value is None:
        return "never"
    return f"{value * 1000:.0f} ms" if 0 < value < 1 else f"{value:.3g} s"


def rate(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"
