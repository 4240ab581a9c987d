"""`python -m ops.cli` runs the `realtoros` command."""

from ops.cli.main import main

main()
