"""`producer exporter`: queues and runs as metrics, for Prometheus. It looks on, and changes nothing."""
