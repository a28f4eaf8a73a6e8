"""One sidecar from one configuration: adapters are built here, and nowhere else."""
