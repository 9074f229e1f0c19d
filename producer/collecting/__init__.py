"""The way back: outcomes go into the ledger, the ledger into the output jsonl; progress and status are read from it."""
