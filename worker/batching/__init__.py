"""Grouping rows into micro-batches and driving the model with them, one at a time. Knows neither Celery nor torch."""
