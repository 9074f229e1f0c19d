"""The parts, a file each: `measure(scene, notes)` does it, and notes what it finds as it comes."""
