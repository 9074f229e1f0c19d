"""A fleet of up to sixteen workers with simulated GPUs, measured; and one of a thousand, calculated from that."""
