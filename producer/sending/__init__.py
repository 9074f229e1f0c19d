"""The way there: rows are noted, published, sent again, or taken back."""
