"""Why a synthesis has no answer: said in words, with the study and the field where there is one."""


class Undefined(Exception):  # noqa: N818  # says what is not defined
    """The numbers have no answer under the question that was asked; `study` is the index of the row, counted from 0."""

    def __init__(self, message: str, *, study: int | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.study = study
        self.field = field


class NotConverged(Undefined):
    """An iteration did not come to rest; `last` is where it stood."""

    def __init__(self, name: str, last: float) -> None:
        super().__init__(f"{name} did not converge; its last value was {last:.6g}. Another estimator may.")
        self.last = last
