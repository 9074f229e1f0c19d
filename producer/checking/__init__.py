"""Reading an input and its images without a GPU or a Redis: `producer check`."""
