"""The `kubernetes` provider, behaving as pulumi-kubernetes 4.34 and speaking plain Kubernetes."""
