"""FLUX.2 [klein] KV, through diffusers' own pipeline; what it shares with plain [klein] it takes from there."""
