"""Submitting: rows of the input become tasks on Redis."""

from producer.rows.lines import in_chunks, read_lines
from producer.rows.numbers import Numbers
from producer.run.as_sent import Reading
from producer.run.open_run import Run
from producer.sending.sender import Sender


def submit(run: Run, sender: Sender) -> int:
    """Publish every row that needs an edit, and return how many.

    Raises:
        RunError: the input cannot be read, or the run was cancelled meanwhile.

    """
    sender.take_up()
    parser, reading = run.parser, Reading(run)
    seen = Numbers()
    for lines in in_chunks(reading.through(read_lines(run.source.path)), sender.most):
        sender.send([parser.parse(line) for line in lines])
        for line in lines:
            seen.add(line.row)
    run.ledger.forget_others(seen)
    published = sender.finish()
    reading.remember()
    return published
