"""What the application tells of itself: logs, metrics, traces.

`setup` starts it once for the process. Everything else in the application only logs, counts, and opens
spans through `spans` and `propagation`.
"""
