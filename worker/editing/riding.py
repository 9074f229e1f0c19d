"""A row's rides in micro-batches: one for each of its turns, among rows of the same key, whatever turn they are in."""

from collections.abc import Collection
from concurrent.futures import CancelledError, Future

from PIL import Image

from worker.batching.batch_runner import Batched
from worker.batching.jobs import Adapter, BatchKey, EditJob, Ticket
from worker.batching.microbatcher import MicroBatcher
from worker.contract.buckets import Bucket
from worker.contract.errors import Unwanted
from worker.contract.messages import EditRequest
from worker.contract.turns import Turn
from worker.editing.preparing import Prepared

Batcher = MicroBatcher[EditJob, list[Image.Image]]


class Rides:
    """Has turns of rows edited, each in the thread that calls, which waits meanwhile."""

    def __init__(self, batcher: Batcher) -> None:
        self._batcher = batcher
        #: The rows that wait for the GPU or are on it: their runs, and what they wait for.
        self._riding: set[tuple[str, Future[Batched[list[Image.Image]]]]] = set()

    def ride(
        self, request: EditRequest, turn: Turn, prepared: Prepared, ticket: Ticket, adapters: tuple[Adapter, ...]
    ) -> Batched[list[Image.Image]]:
        """Have a turn's images made, of the bucket's size.

        Raises:
            Unwanted: the row's run was cancelled.
            GivenBack: the worker is shutting down, or another has nothing to do.

        """
        job = EditJob(
            ticket=ticket,
            image=prepared.edited[0] if prepared.edited else None,
            prompt=turn.prompt,
            negative_prompt=request.negative_prompt,
            seeds=turn.seeds,
            references=prepared.references,
            turn=turn.number,
            others=prepared.edited[1:],
        )
        future = self._batcher.submit(_key(request, prepared, adapters), job)
        riding = (request.run, future)
        self._riding.add(riding)
        try:
            return future.result()
        except CancelledError:
            raise Unwanted(f"row {request.row}: its run was cancelled.") from None
        finally:
            self._riding.discard(riding)

    def drop(self, run: str) -> None:
        """Let go of a run's rows that wait for the GPU."""
        for owner, future in tuple(self._riding):
            if owner == run:
                future.cancel()

    def pass_on(self, tags: Collection[str]) -> bool:
        """Give back those of some deliveries that wait behind a batch on the GPU; return whether there is one.

        A row that has had a turn stays: whoever got it would begin with the first.
        """
        return self._batcher.pass_on(lambda job: job.turn == 1 and job.ticket.tag in tags)


def _key(request: EditRequest, prepared: Prepared, adapters: tuple[Adapter, ...]) -> BatchKey:
    plan = prepared.plan
    return BatchKey(
        bucket=plan.bucket,
        steps=request.steps,
        guidance=request.guidance,
        true_cfg_scale=request.true_cfg_scale,
        num_images=request.num_images,
        references=tuple(Bucket(*reference.size) for reference in prepared.references),
        adapters=adapters,
        task=request.task,
        given=plan.own,
    )
