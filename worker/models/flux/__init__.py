"""FLUX.1-Kontext, through diffusers' own pipeline."""
