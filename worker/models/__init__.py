"""The models, behind one small protocol: a folder per family, and what families share in `speed` and `weights`.

Only `worker.steps`, which loads one, and the bench come in. This file imports nothing: all but `protocol`, `starting`,
`warmup` and `selftest` needs torch.
"""
