"""Capacity on paper: docs/scale.md, computed from what `make bench` measured and from Azure's own figures."""
