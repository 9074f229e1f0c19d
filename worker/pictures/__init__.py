"""Pixels and the files that hold them: decoding, fitting to a bucket and back, encoding, writing whole or not at all.

`worker.editing` comes in here, and `producer check`, which decodes as a worker does.
"""
