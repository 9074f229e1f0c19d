"""Looking a machine and its fleet over before a run, without torch: `producer doctor`."""
