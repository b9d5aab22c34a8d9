"""`kubernetes:helm.sh/v3:Release`: charts that the sandbox knows, installed as Helm would."""

RELEASE = "kubernetes:helm.sh/v3:Release"
