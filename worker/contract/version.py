"""Which version of the project this process is."""

from importlib.metadata import PackageNotFoundError, version


def own_version() -> str:
    """Return it; "unknown" where the project is run from a folder, without being installed."""
    try:
        return version("bulk-image-editor")
    except PackageNotFoundError:
        return "unknown"
