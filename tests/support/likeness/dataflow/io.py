"""Where a serving's pictures go."""


class ImageIO:
    """Knows the folder; how pictures are read and written is the serving's own business."""

    def __init__(self, save_path: str) -> None:
        self.save_path = save_path
