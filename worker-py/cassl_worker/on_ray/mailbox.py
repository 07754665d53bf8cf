"""What passes between the driver of a training and its processes. Loads no torch, which would stay in memory."""

from cassl_worker.errors import CasslError
from cassl_worker.records import Event

Said = Event | CasslError


class Mailbox:
    """Between the driver and the first process, which Ray may start again."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.pause = False

    def put(self, said: Said) -> None:
        self.said.append(said)

    def take(self, pause: bool) -> list[Said]:
        """pause: whether the training is to pause."""
        self.pause = pause
        said, self.said = self.said, []
        return said

    def is_pause_asked(self) -> bool:
        return self.pause
