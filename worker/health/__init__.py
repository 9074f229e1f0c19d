"""When something is not as it should be: retries, a GPU that hangs, and how the worker shuts down."""
