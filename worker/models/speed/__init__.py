"""How a transformer is made fast, and on what: device, compiler, attention, fp8, skipped steps. For all families."""
