"""Kubernetes' NetworkPolicies, in force on the nodes as nftables rules.

Objects are read (`objects`), worked out into what each pod may send and receive (`isolation`), written as one
table per node (`rendering`) and kept current (`controller`). A pod's network is ready only once its rules are
in force: its sandbox waits for them (`plugin`), as with Cilium.
"""
