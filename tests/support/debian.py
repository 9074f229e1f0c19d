"""Debian's packages, for tests that need a program; only in CI is anything installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def require_compiler() -> None:
    """Have a C++ compiler, which a CPU's kernels are built with: skip where there is none, but in CI install one."""
    if shutil.which("g++") or shutil.which("clang++"):
        return
    if not os.environ.get("CI"):
        pytest.skip("needs a C++ compiler, as the profiles exact and fast do")
    install("g++")


def install(*packages: str) -> None:
    """Install Debian packages, and start none of their services."""
    policy = Path("/usr/sbin/policy-rc.d")  # where Debian asks whether it may; a container has one already
    is_ours = not policy.exists()
    if is_ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        for command in (("update",), ("install", "-y", "--no-install-recommends", *packages)):
            patient = ["apt-get", "-o", "DPkg::Lock::Timeout=120", *command]
            subprocess.run(patient, env=environment, stdout=subprocess.DEVNULL, check=True)
    finally:
        if is_ours:
            policy.unlink()
