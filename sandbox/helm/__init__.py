"""Helm releases as Helm 3 keeps them: shared by who installs them and by who acts on them."""
