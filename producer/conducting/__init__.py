"""A run from its first look at the input to its output, for whoever asks: a command, or a program of the user's."""
