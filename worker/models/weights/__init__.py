"""Weights on their way to the device: found or downloaded, checked, loaded. Shared by all families."""
