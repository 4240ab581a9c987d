"""`python -m tests.faults.chaos`: one chaos run; see `chaos_run` for its environment."""

import sys

from tests.faults.chaos.chaos_run import main

sys.exit(main())
