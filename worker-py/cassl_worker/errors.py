"""The one error class of the worker."""


class CasslError(Exception):
    """A failure that its user can act on.

    Attributes:
        reason: name in the catalogue of proto/cassl/v1/error_reason.proto without prefix, such as `TRAINING_DIVERGED`.
        message: what is wrong, with the offending value.
        remedy: what to do about it.
    """

    def __init__(self, reason: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.remedy = remedy

    def __reduce__(self) -> tuple[type["CasslError"], tuple[str, str, str]]:
        """Errors cross from one process to another."""
        return CasslError, (self.reason, self.message, self.remedy)


def training_diverged(message: str) -> CasslError:
    remedy = "Lower `learning_rate` in the solver of the stage, or raise its `lr_ramp_iterations`."
    return CasslError("TRAINING_DIVERGED", message, remedy)
