"""The `command` provider: local commands as resources, as pulumi-command 1.2.1 runs them."""
