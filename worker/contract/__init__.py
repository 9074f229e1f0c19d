"""What producer and worker share: messages, parameters, the model catalog, keys in Redis. Anybody may come in.

It imports neither Celery nor torch, and nothing of the project above it.
"""
