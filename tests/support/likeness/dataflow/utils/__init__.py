"""What pipelines keep their tables in."""
