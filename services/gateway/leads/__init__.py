"""Leads read from CSV files, and clients written to them. Pure; `worker` reads as a process."""
