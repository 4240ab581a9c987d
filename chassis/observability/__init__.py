"""What a process tells of itself: series of metrics and their samples."""
