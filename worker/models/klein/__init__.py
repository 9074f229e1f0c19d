"""FLUX.2 [klein], distilled and base, through diffusers' own pipeline."""
