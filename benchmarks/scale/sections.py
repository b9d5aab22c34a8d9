"""What the simulations found, as sections of docs/scale.md. Tests hold what is said here to the figures."""

from __future__ import annotations

from benchmarks.load.markdown import grid
from benchmarks.scale.prose import paragraph, seconds, share
from benchmarks.scale.simulation.queueing import BURST
from benchmarks.scale.study import BLOCK_SECONDS, MOST_LEDGER_WAITING, Study


def simulations(found: Study) -> str:
    parts = [_queueing(found), _ledger(found), _storms(found), _failovers(found), _takeovers(found)]
    return "\n\n".join(["## Simulated", *parts])


def _queueing(found: Study) -> str:
    rows = [[share(one.utilisation), seconds(one.ordinary), seconds(one.burst)] for one in found.waiting]
    said = paragraph(
        f"{share(found.utilisation)} is what is planned with. New pods take about a minute, so a burst "
        "must fit into those that are there; where it does not, waiting grows for as long as it lasts."
    )
    heads = ("processor busy", "p95 beyond the model's time", "in the burst")
    title = f"### Waiting for a pod, in a burst of {BURST:g} times the rate for a minute"
    return f"{title}\n\n{grid(heads, rows)}\n\n{said}"


def _ledger(found: Study) -> str:
    free = {one.processes: one for one in found.contention if not one.paced}
    paced = {one.processes: one for one in found.contention if one.paced}
    rows = [
        [
            f"{count}",
            f"{free[count].writes_per_second:.0f}",
            seconds(free[count].wait),
            share(free[count].refused),
            seconds(paced[count].wait),
        ]
        for count in free
    ]
    blocks = [[f"{one.processes}", f"{one.writes_per_second:.0f}", seconds(one.wait)] for one in found.blocks]
    said = paragraph(
        f"{found.ledger_pods} share a ledger within {seconds(MOST_LEDGER_WAITING)}. Writes come one after "
        "another, and whoever has just written knows the newest ETag: it writes again while the others "
        "still read. Pacing, a pause after each write for as long as the others need, shares the waiting "
        "more evenly. What helps is to write less: a process that reserves a block of tokens for "
        f"{BLOCK_SECONDS:g} s writes once in that time, and no call waits, since the next block is "
        "reserved before the last is used up. A block counts as reserved until it is settled or expires, "
        "so no budget is exceeded by it."
    )
    heads = ("processes", "writes a second", "p95 of a reservation", "refused", "p95, paced")
    block_heads = ("processes with blocks", "writes a second", "p95 of a block")
    rate = found.contention[0].rate
    return (
        f"### One ledger, many processes of {rate:.0f} calls a second\n\n"
        f"{grid(heads, rows)}\n\n{said}\n\n{grid(block_heads, blocks)}"
    )


def _storms(found: Study) -> str:
    rows = [
        [
            storm.policy.value,
            f"{storm.attempts:.2f}",
            share(storm.during),
            share(storm.after),
            seconds(storm.recovery),
            f"{storm.queue:,}",
        ]
        for storm in found.storms
    ]
    said = paragraph(
        "Retries alone make an outage of a minute one without end: calls that nobody waits for any more "
        "keep the model busy, and each is asked again. The breaker lets the queue drain, the retry budget "
        "keeps it from coming back, and with a second region nobody notices."
    )
    heads = ("callers", "asked per call", "answered during", "answered after", "whole after", "longest queue")
    return f"### A model ten times slower for a minute, at 70 % load\n\n{grid(heads, rows)}\n\n{said}"


def _failovers(found: Study) -> str:
    rows = [[share(one.quota), share(one.first), share(one.afterwards)] for one in found.failovers]
    said = paragraph(
        "The breaker costs nothing that callers see, and nothing makes up for quota that is missing. Both "
        "deployments need the peak's quota; `model.capacity` gives them the same."
    )
    heads = ("second region's quota, of the peak", "failed in the first 10 s", "failed afterwards")
    return f"### The model's region lost at peak\n\n{grid(heads, rows)}\n\n{said}"


def _takeovers(found: Study) -> str:
    rows = [
        [share(one.standby), f"{one.lost:.0f} s", seconds(one.longest_wait), seconds(one.recovered)]
        for one in found.takeovers
    ]
    said = paragraph(
        "Three quarters are enough for nobody to be turned away: what waits in the first minute is worked "
        "off by the pods that the autoscaler adds on nodes that have room. With half, requests wait for "
        "longer than a minute, and some of the peak's calls are lost."
    )
    heads = (
        "pods there, of what the peak needs",
        "lost, in peak traffic",
        "longest wait",
        "nobody waits after",
    )
    return f"### A region's pods lost at peak, all traffic to the other\n\n{grid(heads, rows)}\n\n{said}"
