"""The Pulumi program: what the platform is, as desired state."""
