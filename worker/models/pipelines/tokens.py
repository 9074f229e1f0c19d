"""How much of an instruction the model reads."""

import threading
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from worker.contract.reading import Reading


class TokenCounter:
    """Counts the tokens of instructions. Any number of threads may use it at once."""

    def __init__(self, tokenizer: Any, most: int, said: Callable[[str], str] = str) -> None:
        """`tokenizer` is transformers' own, of which the model reads `most` tokens, the one at the end included.

        `said` puts around an instruction what the model is given with it.
        """
        # A copy, and a lock: a fast tokenizer has one setting of where it cuts, and raises where two calls meet in it.
        self._tokenizer = deepcopy(tokenizer)
        self._most = most
        self._said = said
        self._lock = threading.Lock()

    def __call__(self, prompt: str) -> Reading:
        """Count a text's tokens."""
        with self._lock:
            tokens = len(self._tokenizer(self._said(prompt), truncation=False, padding=False, verbose=False).input_ids)
        return Reading.of(tokens, self._most)
