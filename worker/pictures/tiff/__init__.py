"""TIFF, which is many formats: which of its pictures is meant, what Pillow reads right of it, what it is if not."""
