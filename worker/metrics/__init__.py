"""What a worker tells Prometheus. A leaf: others hand over what they know, and without a port it goes nowhere."""
