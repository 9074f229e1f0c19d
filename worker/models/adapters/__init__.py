"""LoRAs: found, read, checked, kept on the device, and added to the model for a call. Shared by all families."""
