"""The fleet's worker: publishes the contract that the producer speaks, and edits the rows."""
