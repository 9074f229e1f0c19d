"""All that a GPU must show, in the order of what is learned per second: `python -m tests.gpu`."""
