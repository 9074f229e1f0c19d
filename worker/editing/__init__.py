"""A row's way through the worker: decode, ride in a micro-batch, encode, record. Imports no torch.

`worker.tasks` comes in by `RowEditor`.
"""
