"""The Python interface: `from producer import Fleet`. Light: what edits runs in other processes."""
