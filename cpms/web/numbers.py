"""Numbers that come from outside. One that no row can have, and no database can take, is no number."""

from werkzeug.routing import IntegerConverter, ValidationError

MOST_DIGITS = 15  # times the length of a page still below the largest whole number of SQLite and PostgreSQL


def whole(typed: str) -> int:
    """For `request.args.get(name, default, type=whole)`, which takes the default when this raises ValueError."""
    if len(typed.strip().lstrip("+-")) > MOST_DIGITS:
        raise ValueError(typed[:MOST_DIGITS])
    return int(typed)


class Id(IntegerConverter):
    """A number in an address: one that no row can have is an address that does not exist."""

    def to_python(self, value: str) -> int:
        if len(value) > MOST_DIGITS:
            raise ValidationError
        return super().to_python(value)
