"""The dashboard's pages in Chromium, on a running system. Run by `make test-pages`."""
