"""Language models: ordered providers behind one router.

`lineup` turns settings into lanes (a provider, its breaker, its places); a `Router` leads each call along
them (`journey`), makes one `attempt` at a time, and checks the answer (`structured`).
"""
