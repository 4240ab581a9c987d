"""The chart: what is generated of it, and whether it fits the code. Run by `make check-deploy`."""
