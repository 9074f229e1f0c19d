"""What a worker's log looks like: one line for each thing that an operator wants to know, as text or as JSON."""
