"""A watch says when something worked first, and never that it did when it did not."""

from __future__ import annotations

import itertools

import pytest

from drills.timeline import Timeline
from drills.watch import Watch


def test_the_first_time_counts() -> None:
    looks = itertools.count()
    timeline = Timeline()
    with Watch(lambda: next(looks) >= 2, timeline.now) as watch:
        since = watch.wait(30)
    assert timeline.began < since < timeline.now()
    assert next(looks) == 3, "nobody looks any more"


def test_what_never_works_has_no_time() -> None:
    with (
        Watch(lambda: False, Timeline().now) as watch,
        pytest.raises(TimeoutError, match="nothing works again"),
    ):
        watch.wait(0.01)
    assert watch.since is None


def test_steps_are_told_in_their_order_also_those_that_failed() -> None:
    timeline = Timeline()

    def fail() -> None:
        with timeline.step("outer"):
            timeline.mark("inner")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    timeline.mark("earlier", timeline.began)
    assert [step.what for step in timeline.steps] == ["earlier", "outer", "inner"]
    assert timeline.steps[1].seconds is not None
