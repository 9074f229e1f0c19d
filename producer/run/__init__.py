"""An open run: its folder, ledger, lock and queue, and what must hold before a command goes on."""
