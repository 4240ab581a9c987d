"""All that an aggregate may import: states, refusals, retry policies. No I/O."""
