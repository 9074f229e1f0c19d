"""The command line: options, wiring, exit codes. No logic: what a command does is in the other wings."""
