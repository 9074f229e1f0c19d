"""DataFlow's script for image editing, with the fleet for its model: `python examples/dataflow_pipeline.py [TABLE]`.

It is that of DataFlow's guide but for where the serving and the operator come from, and for the demo model, which needs
no GPU: name "FLUX-Kontext" and its weights for FLUX.1-Kontext. docs/dataflow.md tells what it takes.
"""

import sys
from pathlib import Path

from dataflow.io import ImageIO
from dataflow.utils.storage import FileStorage

from producer.dataflow import LocalImageGenServing, PromptedImageEditGenerator

EXAMPLES = Path(__file__).parent / "edits.jsonl"


class ImageEditingPipeline:
    """Edits the images of a table, and keeps the table of the next step beside them."""

    def __init__(self, table: str) -> None:
        self.storage = FileStorage(
            first_entry_file_name=table,
            cache_path="./cache_local/image_edit_local",
            file_name_prefix="dataflow_cache_step",
            cache_type="jsonl",
        )
        self.serving = LocalImageGenServing(
            image_io=ImageIO(save_path="./cache_local/image_edit_local"),
            Image_gen_task="imageedit",
            batch_size=4,
            diffuser_model_name="demo",
            diffuser_num_inference_steps=4,
        )
        self.generator = PromptedImageEditGenerator(image_edit_serving=self.serving, save_interval=10)

    def forward(self) -> None:
        """Run the only step."""
        self.generator.run(
            storage=self.storage.step(),
            input_image_key="images",
            input_conversation_key="conversations",
            output_image_key="output_image",
        )


if __name__ == "__main__":
    pipeline = ImageEditingPipeline(*sys.argv[1:] or [str(EXAMPLES)])
    pipeline.forward()
