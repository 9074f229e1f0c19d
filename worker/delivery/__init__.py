"""Celery's and Redis' side of a row: the pool, leases, who holds which row, rows under suspicion. No pixels, no model.

Celery's bootsteps, `worker.tasks` and `worker.health` come in here.
"""
