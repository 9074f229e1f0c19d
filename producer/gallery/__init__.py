"""The page that shows what came of a run: before and after, row by row, in any browser and without a server."""
