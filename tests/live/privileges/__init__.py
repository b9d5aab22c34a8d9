"""Who may do what on the running platform: expected as data, measured over the wire, and both compared."""
