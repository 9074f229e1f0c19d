"""What scripts import of DataFlow-MM, written for these tests: it cannot be installed beside the workers' torch.

It keeps DataFlow's contract as it was read at a5d48e0, in behaviour: names, arguments, what an operator hands to a
serving and takes from it, when it swallows errors, and the bytes of a step file. None of its code is here. Where
DataFlow itself is installed, in `.venv-dataflow`, the same test runs with that.
"""
