"""Edit every picture below one prefix of an object store by one instruction, into another prefix.

    python examples/s3_to_s3.py s3://bucket/photos s3://bucket/winter "Make it winter."

No picture comes to this machine's disk: workers read from the one prefix and write to the other. The folder `s3_to_s3`
has the rows, the run's ledger and its output; the same command again goes on where it stopped.
"""

import json
import subprocess
import sys
from pathlib import Path

import fsspec

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def pictures(prefix: str) -> list[str]:
    """Return the URLs of the pictures below a prefix, in order."""
    store, path = fsspec.core.url_to_fs(prefix)
    return sorted(store.unstrip_protocol(name) for name in store.find(path) if name.lower().endswith(SUFFIXES))


def main(here: str, there: str, instruction: str) -> int:
    """Write the rows, have them edited, and say what became of each."""
    folder = Path("s3_to_s3")
    folder.mkdir(exist_ok=True)
    with (folder / "edits.jsonl").open("w", encoding="utf-8") as file:
        for url in pictures(here):
            file.write(json.dumps({"images": url, "conversations": [{"role": "user", "content": instruction}]}) + "\n")
    producer = Path(sys.executable).with_name("producer")
    ended = subprocess.run(
        [producer, "run", folder / "edits.jsonl", "--run-dir", folder / "run", "--pictures", there, "--quiet"],
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if (output := folder / "run/output.jsonl").exists():
        for row in map(json.loads, output.read_text("utf-8").splitlines()):
            print(row["images"], "->", *(row["output_image"] or [row["error"]]))
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
