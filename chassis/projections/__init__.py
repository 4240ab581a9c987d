"""What a service keeps of other services' streams: views and journals."""
