"""What is worth saying of a run's rows as a whole, beyond their errors."""

from producer.rows.parser import Row
from worker.settings.fleet import Settings


class Remarks:
    """Counts what was passed over or rounded, to say it once and not per row."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.more_images = 0
        self.rounded_sizes = 0

    def add(self, row: Row) -> None:
        """Take note of a row."""
        self.more_images += row.unused_images > 0
        self.rounded_sizes += row.is_rounded

    def sentences(self) -> list[str]:
        """Return what there is to say."""
        said = []
        if self.more_images:
            said.append(
                f"{self.more_images} rows name more than one image, of which the first is edited"
                " (--multi-image stitch edits them all, side by side)."
            )
        if self.rounded_sizes:
            said.append(
                f"{self.rounded_sizes} rows name a size of their own that was rounded down:"
                f" the model takes multiples of {self._settings.spec.multiple}."
            )
        return said


def rounding(settings: Settings) -> str | None:
    """Say that the run's size was rounded to what the model takes; None where it was not."""
    if settings.model_size == settings.size:
        return None
    return (
        f"--size {settings.size} was rounded down to {settings.model_size}:"
        f" {settings.diffuser_model_name} takes multiples of {settings.spec.multiple}."
    )
