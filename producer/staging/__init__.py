"""From Python's rows to a file that the producer reads: whatever holds them, and whatever their pictures are."""
