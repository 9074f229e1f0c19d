"""Where a run's pictures are put, and known again: its folder."""
