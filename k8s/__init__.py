"""How Rapt runs on Kubernetes: manifests, and the checks of them."""
