"""Exceptions for a synthesis without a result, with a message, and the study and field at fault where known."""


class Undefined(Exception):  # noqa: N818  # the name of what is not defined
    """The numbers have no result under this plan; `study` is the index of the row at fault, counted from 0."""

    def __init__(self, message: str, *, study: int | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.study = study
        self.field = field


class NotConverged(Undefined):
    """An iteration did not converge; `last` is its last value."""

    def __init__(self, name: str, last: float) -> None:
        super().__init__(f"{name} did not converge; its last value was {last:.6g}. Another estimator may.")
        self.last = last
