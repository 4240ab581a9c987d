"""Read models of other services' streams: views and journals."""
