"""What Pulumi starts: serve the pack until the engine ends it."""

from pulumi_policy import PolicyPack

from infra.policy.pack import policies

PolicyPack(name="agents-platform", policies=policies())
