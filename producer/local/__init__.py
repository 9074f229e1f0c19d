"""What `producer run` starts on this machine and stops again: a Redis, and one worker per GPU."""
