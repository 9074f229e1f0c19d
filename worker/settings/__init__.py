"""Every `FLEET_*` variable: validated once, frozen, read by producer and worker alike."""
