"""Which errors of the operating system may pass by themselves, as on a file share that hiccups or a disk that fills."""

import errno
from typing import Final

_PASSING: Final = {
    errno.EAGAIN, errno.EBUSY, errno.ECONNABORTED, errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTDOWN,
    errno.EHOSTUNREACH, errno.EINTR, errno.EIO, errno.EMFILE, errno.ENETDOWN, errno.ENETRESET, errno.ENETUNREACH,
    errno.ENFILE, errno.ENOBUFS, errno.ENOLCK, errno.ENOMEM, errno.ENOTCONN, errno.ESHUTDOWN, errno.ESTALE,
    errno.ETIMEDOUT,
}  # fmt: skip

#: A disk that is full or remounted read-only, and a share that is not mounted: somebody may be at work on it.
_PASSING_FOR_OUTPUT: Final = _PASSING | {errno.EDQUOT, errno.ENODEV, errno.ENOENT, errno.ENOSPC, errno.EROFS}


def may_pass(error: OSError, *, writing: bool = False) -> bool:
    """Tell whether the same may succeed later; that a file to be read is not there counts as its absence."""
    # Libraries raise OSErrors of their own, without a number.
    return error.errno in (_PASSING_FOR_OUTPUT if writing else _PASSING)
