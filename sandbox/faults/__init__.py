"""Faults on demand: Resource Manager and the data planes refuse, fail or hang when told to.

They live in the memory of the process that serves Azure: a restart of it forgets them. Delays, by which
copies of data are behind, are kept.
"""
