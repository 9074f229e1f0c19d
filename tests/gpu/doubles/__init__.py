"""Parts that end in a way of their own, for the tests of the harness."""
