"""The fleet's producer: splits a jsonl into one task per row, and builds the output jsonl from the outcomes."""
