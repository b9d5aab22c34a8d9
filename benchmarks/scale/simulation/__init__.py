"""What a formula does not tell: waiting under bursts, contention, storms of retries, a region lost at peak.

Every simulation is seeded, so it says the same each time; time is simulated, in seconds.
"""
