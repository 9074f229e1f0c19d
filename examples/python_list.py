"""Edit a list of rows on this machine: `python examples/python_list.py [RUN_DIR]`, with the extras worker and local.

It takes the demo model, which needs no GPU; leave `model` out for FLUX.1-Kontext.
"""

import sys
from pathlib import Path

from producer import Fleet

PHOTOS = Path(__file__).parent / "photos"

rows = [
    {"images": "coffee.jpg", "conversations": "Make it blue."},
    {"images": "chelsea.jpg", "conversations": "Turn it into a pencil drawing.", "edit": {"seed": 7}},
    {"images": "no-such-file.jpg", "conversations": "Make it brighter."},
]


def main(run_dir: str) -> None:
    """Edit the rows, say of each what became of it as it comes, and where the output is."""
    with Fleet(model="demo", progress="rich") as fleet:
        run = fleet.edit(rows, run_dir=run_dir, images_from=PHOTOS, steps=4)
        for result in run:
            took = sum(result.seconds.values())
            print(f"row {result.row}: {result.error or [str(path) for path in result.paths]} after {took:.1f} s")
        summary = run.wait()
    print(f"{summary.done} done, {summary.failed} failed: {summary.output}")


if __name__ == "__main__":
    main(*sys.argv[1:] or ["cache_local/python_list"])
