"""What can be wrong with a request, in the words of the clinic. `web/errors.py` turns each into an answer, once."""

import errno


class DomainError(Exception):
    """A refusal that a person can read. `message` is a whole sentence; without one the answer's own words are used."""

    status = 422

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message or type(self).__name__)
        self.message = message
        self.field = field  # the form field that the sentence belongs beside, when there is one


class Refused(DomainError):
    """The state of the record does not allow it; the person can change something and try again."""


class NotFound(DomainError):
    """There is no such record, or it is not one this person may know of."""

    status = 404


class Forbidden(DomainError):
    """The person has not the right to do this."""

    status = 403


class Conflict(DomainError):
    """The world changed: somebody else was faster. Nothing was saved."""

    status = 409


class Stale(Conflict):
    """The row is newer than the one that the form was made from."""


class ConstraintBroken(Conflict):
    """The database refused the row; `constraint` names the rule."""

    def __init__(self, constraint: str) -> None:
        super().__init__()
        self.constraint = constraint


class CannotWrite(DomainError):
    """Nothing can be stored for the moment, and nothing was. Reading goes on."""

    status = 503


class Busy(CannotWrite):
    """The write lock did not come free in time."""


class DiskFull(CannotWrite):
    """There is no room for another row. The database is as it was."""


class ReadOnly(CannotWrite):
    """The disk takes no writes, as a worn card does."""


class OnHold(CannotWrite):
    """A backup is being put back: nothing is written until that is over."""


def of_the_disk(error: OSError) -> DiskFull | ReadOnly | None:
    """What the operating system says about a disk that takes no more, as the database's own trouble with it."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return DiskFull()
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}:
        return ReadOnly()
    return None


class Unhealthy(RuntimeError):
    """The program must not start like this: the sentence says what to do."""


class WriteOutsideTransaction(RuntimeError):
    """Code tried to change a row with no `transaction(...)` open: a mistake of ours."""
