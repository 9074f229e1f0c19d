"""FLUX.1-Kontext, through diffusers' own pipeline; the demo model goes the same way."""
