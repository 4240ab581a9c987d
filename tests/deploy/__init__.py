"""Checks of what is in deploy/: the chart, monitoring. Run by `make check-deploy`."""
