"""ACR Tasks: quick builds, as `az acr build` asks for them."""
