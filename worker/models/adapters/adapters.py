"""The LoRAs of a loaded model: those that were used last are kept on its device, and a call has its own."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch
from cachetools import LRUCache

from worker.batching.jobs import Adapter
from worker.contract.errors import RowError, TransientError
from worker.contract.lora import Lora
from worker.models.adapters.files import identity_of
from worker.models.adapters.finding import Finder
from worker.models.adapters.layers import layers_of, make_adaptable, numbers, put
from worker.models.adapters.placing import Placed, onto, place
from worker.models.adapters.reading import products_of

logger = logging.getLogger(__name__)

#: Files of as many LoRAs that were found unfit are not read again for every row that names them.
_REFUSED: Final = 1024

#: A file has its numbers in 4 bytes at most for 2 on the device; one that is larger by more is no LoRA that fits.
_LARGER: Final = 4


class Adapters:
    """Has a model's LoRAs ready, for any thread, and gives them to it for a call, in the one that drives it."""

    def __init__(self, pipeline: Any, finder: Finder, most: int) -> None:
        """`most` are the bytes of the device's memory that LoRAs may take. To be made before anything is compiled."""
        self._finder = finder
        self._loader = type(pipeline)
        self._device, self._dtype = pipeline.device, pipeline.transformer.dtype
        self._places = make_adaptable(pipeline.transformer)
        self._layers = layers_of(pipeline.transformer)
        self._kept: LRUCache[tuple[str, ...], Placed] = LRUCache(most, getsizeof=lambda placed: placed.nbytes)
        self._refused: LRUCache[tuple[str, ...], str] = LRUCache(_REFUSED)
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        #: Of the LoRAs that the model has now: what its kernels are compiled for.
        self.layout: tuple[object, ...] = ()

    @property
    def room(self) -> int:
        """Bytes that LoRAs may still come to take."""
        return int(self._kept.maxsize - self._kept.currsize)

    def find(self, loras: Sequence[Lora]) -> tuple[Adapter, ...]:
        """Find LoRAs, and load them where they are not kept.

        Raises:
            RowError: one cannot be had, or does not fit the model.

        """
        found = tuple(self._found(lora) for lora in loras)
        if found:
            self._placed(found)
        return found

    @contextmanager
    def applied(self, adapters: tuple[Adapter, ...]) -> Iterator[None]:
        """Give the model LoRAs for the calls inside, and none of them after that.

        Raises:
            RowError: a file is not there any more, or another one.

        """
        placed = self._placed(adapters)
        weights, scales = tuple(adapter.weight for adapter in adapters), {}
        try:
            for name, matrices in placed.layers.items():
                if matrices.ranks not in scales:
                    scales[matrices.ranks] = numbers(weights, matrices.ranks, matrices.down)
                put(self._layers[name], (matrices.down, matrices.up, scales[matrices.ranks]))
            self.layout = placed.layout
            yield
        finally:
            self.layout = ()
            for layer in self._layers.values():
                put(layer, None)

    def _found(self, lora: Lora) -> Adapter:
        path = self._finder.path(lora)
        with self._loading:  # a file is read through once, whoever else asks for it meanwhile
            return Adapter(lora.name, path, identity_of(path, lora.name), lora.weight)

    def _placed(self, adapters: tuple[Adapter, ...]) -> Placed:
        key = tuple(adapter.digest for adapter in adapters)
        if (placed := self._there(key)) is not None:
            return placed
        with self._loading:  # once, whoever else asks for them meanwhile
            if (placed := self._there(key)) is not None:
                return placed
            for one in adapters:
                if identity_of(one.path, one.name) != one.digest:
                    raise RowError(f"lora {one.name}: its file was changed while the row waited; send the row again.")
            try:
                placed = self._loaded(adapters)
            except TransientError:
                raise
            except RowError as error:  # the file itself is to blame
                with self._lock:
                    self._refused[key] = str(error)
                raise
            with self._lock:
                self._kept[key] = placed
            return placed

    def _there(self, key: tuple[str, ...]) -> Placed | None:
        with self._lock:
            if (why := self._refused.get(key)) is not None:
                raise RowError(why)
            return self._kept.get(key)

    def _loaded(self, adapters: tuple[Adapter, ...]) -> Placed:
        begun, names = time.monotonic(), " and ".join(adapter.name for adapter in adapters)
        self._require_room(sum(adapter.path.stat().st_size for adapter in adapters) // _LARGER, names)
        loras = [products_of(one.path, one.name, self._loader, self._places) for one in adapters]
        placed = place(loras, self._places, dtype=self._dtype)
        self._require_room(placed.nbytes, names)
        self._make_room(placed.nbytes)
        try:
            on_device = onto(placed, self._device)
        except torch.OutOfMemoryError:
            raise TransientError(f"lora {names}: does not fit beside the model; lower FLEET_BATCH_SIZE.") from None
        took = time.monotonic() - begun
        logger.info("lora: %s loaded, %.1f MiB in %.2f s", names, placed.nbytes / 2**20, took)
        return on_device

    def _make_room(self, needed: int) -> None:
        """Let go of those that were not used for the longest time, before another takes their memory."""
        with self._lock:
            while self._kept.currsize + needed > self._kept.maxsize:
                self._kept.popitem()

    def _require_room(self, needed: int, names: str) -> None:
        if needed > self._kept.maxsize:
            raise RowError(
                f"lora {names}: takes {needed / 2**20:.0f} MiB, and workers have {self._kept.maxsize / 2**20:.0f} MiB"
                " for LoRAs; set FLEET_LORA_CACHE higher."
            )
