"""The bench: what every profile costs and what it changes, measured side by side: `python -m worker.bench`."""
