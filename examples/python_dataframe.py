"""Edit a DataFrame of pandas, and bring the results back into it: `python examples/python_dataframe.py [RUN_DIR]`.

It takes pandas beside the extras worker and local, and the demo model, which needs no GPU.
"""

import sys
from pathlib import Path

import pandas as pd

from producer import Fleet

PHOTOS = Path(__file__).parent / "photos"


def main(run_dir: str) -> None:
    """Edit the first photographs, two ways each."""
    photos = [str(path) for path in sorted(PHOTOS.glob("*.jpg"))[:2]]
    frame = pd.DataFrame([(photo, text) for photo in photos for text in ("Make it darker.", "Mirror it.")])
    frame.columns = pd.Index(["photo", "instruction"])
    with Fleet(model="demo", steps=4) as fleet:
        run = fleet.edit(frame, run_dir=run_dir, input_image_key="photo", input_conversation_key="instruction")
        results = {result.row: result for result in run}
    # Rows count from 0, whatever the frame's index is.
    frame["edited"] = [str(results[row].paths[0]) if results[row].ok else None for row in range(len(frame))]
    frame["error"] = [results[row].error for row in range(len(frame))]
    print(frame.to_string())


if __name__ == "__main__":
    main(*sys.argv[1:] or ["cache_local/python_dataframe"])
