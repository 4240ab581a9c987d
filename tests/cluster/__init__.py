"""The chart on a real Kubernetes control plane: `make cluster-test`, which builds it once."""
