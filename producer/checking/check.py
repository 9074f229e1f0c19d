"""Reading an input and every image in it without a GPU: which rows are good, why the others are not, what they take."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from producer.checking.report import Report
from producer.checking.tokens import instruction_reader
from producer.collecting.progress import Reporter
from producer.rows.lines import Line, in_chunks, read_lines
from producer.rows.parser import Row, RowParser
from producer.rows.source import Source
from worker.contract.buckets import Bucket, Fit, area_of, nearest, plan_fit, plan_made
from worker.contract.errors import RowError
from worker.contract.inline_images import is_inline
from worker.contract.messages import EditRequest
from worker.contract.reading import reading_of
from worker.contract.row_warnings import RowWarning
from worker.contract.strips import plan_strip, side_by_side
from worker.pictures import decoding
from worker.pictures.confine import Limits
from worker.pictures.encoding import require_encodable
from worker.pictures.pixel_budget import PixelBudget
from worker.pictures.sources import source_of
from worker.settings.fleet import Settings

#: Rows between two looks at the progress.
_CHUNK = 256

#: Images whose size is remembered: datasets name one image in several rows that stand near each other.
_REMEMBERED = 100_000


class _Read(NamedTuple):
    """A row whose images were read: where it goes, or why it cannot."""

    row: Row
    bucket: Bucket | None = None
    #: The sizes of what the model is given: the one that is edited, and those beside it.
    pictures: tuple[Bucket, ...] = ()
    error: str | None = None
    #: What its instruction and its pictures give cause to say.
    warnings: frozenset[RowWarning] = frozenset()


class _Picture(NamedTuple):
    """What is remembered of an image that was read."""

    size: tuple[int, int]
    warnings: frozenset[RowWarning]


def check(
    source: Source, report: Report, settings: Settings, *, say_error: Callable[[str], None] | None, progress: Reporter
) -> None:
    """Read every row and every image into `report`; hand each error on as it is found, in the order of the lines.

    Raises:
        RunError: the input itself cannot be read to its end.

    """
    total = sum(1 for _ in read_lines(source.path))
    parser = RowParser(settings, run="0" * 16, base=source.base, run_dir=Path())
    reader = _Reader(settings)
    report.instructions_measured = reader.measures_instructions
    threads = ThreadPoolExecutor(os.cpu_count())
    try:
        for chunk in in_chunks(read_lines(source.path), _CHUNK):
            for read in threads.map(reader.read, _parsed(parser, chunk)):
                report.add(read.row, read.bucket, read.error, read.warnings, read.pictures)
                if read.error is not None and say_error is not None:
                    say_error(read.error)
            progress(report.progress(total))
    finally:
        threads.shutdown(cancel_futures=True)  # Ctrl-C does not wait for what has not begun


def _parsed(parser: RowParser, lines: list[Line]) -> Iterator[Row]:
    return (parser.parse(line) for line in lines)


class _Reader:
    """Reads the images of rows as a worker does. Any number of threads may use it at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limits = Limits(max_pixels=settings.max_pixels, allow_urls=settings.allow_urls or ())
        self._reading = instruction_reader(settings)
        self._pixels = PixelBudget(settings.max_pixels)
        self._picture = lru_cache(_REMEMBERED)(self._read_picture)

    @property
    def measures_instructions(self) -> bool:
        """Whether the model's tokenizer is at hand."""
        return self._reading is not None

    def read(self, row: Row) -> _Read:
        if row.request is None:
            return _Read(row, error=row.error)
        try:
            warnings = self._instruction(row.request)
            pictures = self._pictures(row.request)
            sizes = [picture.size for picture in pictures]
            plan = self._plan(row.request, sizes)
            require_encodable(row.request.image_format, plan.output)
        except RowError as error:
            return _Read(row, error=f"line {row.line.number}: {error}")
        warnings = warnings.union(*(picture.warnings for picture in pictures))
        given = (plan.given, *self._references(row.request, sizes)) if sizes else ()
        return _Read(row, plan.bucket, given, warnings=warnings)

    def _instruction(self, request: EditRequest) -> frozenset[RowWarning]:
        if self._reading is None or not reading_of(request, self._reading)[1]:
            return frozenset()
        return frozenset({RowWarning.INSTRUCTION_CUT})

    def _pictures(self, request: EditRequest) -> list[_Picture]:
        pictures = []
        for image in request.images:
            # One that stands in its row is its row's alone, and long.
            read = self._read_picture if is_inline(image) else self._picture
            if isinstance(picture := read(image), str):
                raise RowError(picture)
            pictures.append(picture)
        return pictures

    def _plan(self, request: EditRequest, sizes: list[tuple[int, int]]) -> Fit:
        spec, most = self._settings.spec, self._settings.max_pixels
        if not sizes:
            return plan_made(request.size)
        if len(sizes) > 1 and not request.references:
            enlarged = side_by_side(sizes, max_pixels=most)
            return plan_strip(sum(width for width, _ in enlarged), enlarged[0][1], spec, request.size)
        area_of(sizes, max_pixels=most)
        return plan_fit(*sizes[0], spec.buckets, request.size)

    def _references(self, request: EditRequest, sizes: list[tuple[int, int]]) -> tuple[Bucket, ...]:
        return tuple(nearest(*size, self._settings.spec.buckets) for size in sizes[1:] if request.references)

    def _read_picture(self, image: str) -> _Picture | str:
        """Return what an image is, or its error: that, too, is remembered. As text: an exception holds on to pixels."""
        try:
            file = source_of(image, self._limits)
            width, height = decoding.size_of(file, max_pixels=self._settings.max_pixels)
            with self._pixels.taken(width * height):
                source = decoding.read(file, max_pixels=self._settings.max_pixels)
                return _Picture(source.image.size, source.warnings)
        except RowError as error:
            return str(error)
