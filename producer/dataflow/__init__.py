"""In the place of DataFlow-MM's own: a serving, and an operator, whose model is the fleet's (docs/dataflow.md).

`from producer.dataflow import LocalImageGenServing` imports neither DataFlow nor torch.
"""

from producer.dataflow.operator import PromptedImageEditGenerator
from producer.dataflow.serving import LocalImageGenServing

__all__ = ["LocalImageGenServing", "PromptedImageEditGenerator"]
