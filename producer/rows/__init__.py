"""A line of the input becomes a request, or the exact reason why it cannot."""
