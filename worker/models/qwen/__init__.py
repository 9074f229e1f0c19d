"""Qwen-Image-Edit of several pictures, whose rows share a call here."""
