"""Training of the demo model, from pictures that it makes itself: `python -m worker.models.demo.train`."""
