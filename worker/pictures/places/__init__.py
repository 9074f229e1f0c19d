"""Where a run's pictures are put, and known again: its folder, or a prefix at an object store."""
