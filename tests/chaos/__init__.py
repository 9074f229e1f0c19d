"""Faults, one after another, while a run is on its way: nothing is lost, and no picture comes out different."""
