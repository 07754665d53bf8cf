"""The only module that knows torch.distributed: processes that train one detector together.

Who starts the processes brings them together: `joined` here, or Ray. Without that there is one process, and all of
this costs nothing.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
from torch import Tensor
from torch import distributed as torch_distributed

TIMEOUT = timedelta(minutes=30)
"""The longest that processes wait for each other, such as for the one that stores a checkpoint."""
INTERFACE = "GLOO_SOCKET_IFNAME"


@contextmanager
def joined(rank: int, count: int, rendezvous: Path) -> Iterator[None]:
    """Inside it, this is the process `rank` of `count` of this machine, which meet by a file that none of them has
    made. They find each other without a port that others could connect to."""
    if loopback := [name for _, name in socket.if_nameindex() if name.startswith("lo")]:
        os.environ.setdefault(INTERFACE, loopback[0])
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    torch_distributed.init_process_group(
        backend, init_method=rendezvous.absolute().as_uri(), rank=rank, world_size=count, timeout=TIMEOUT
    )
    yield
    # Not after a failure: the others, which this waits for, may be gone.
    torch_distributed.destroy_process_group()


def process_count() -> int:
    return torch_distributed.get_world_size() if is_joined() else 1


def process_rank() -> int:
    """0..process_count() - 1."""
    return torch_distributed.get_rank() if is_joined() else 0


def is_first() -> bool:
    """Whether this process speaks for all: only it reports and writes."""
    return process_rank() == 0


def is_joined() -> bool:
    return torch_distributed.is_available() and torch_distributed.is_initialized()


def share_of(count: int, rank: int | None = None) -> range:
    """Which of 0..count - 1 are a process's, by default this one's: consecutive ones, in number equal but for one."""
    processes, rank = process_count(), process_rank() if rank is None else rank
    return range(count * rank // processes, count * (rank + 1) // processes)


def summed(values: Tensor) -> Tensor:
    """Over all processes; the same bits in each."""
    if process_count() == 1:
        return values
    total = values.to(wire_device(values.device))
    total = total.clone() if total is values else total
    torch_distributed.all_reduce(total)
    return total.to(values.device)


def any_process(flag: bool) -> bool:
    """Whether it is true in one of them."""
    return summed(torch.tensor([float(flag)])).item() > 0


def add_up_gradients(weights: Sequence[Tensor]) -> None:
    """Every process gets the sum of all processes' gradients. What has none in any of them has none afterwards."""
    if process_count() == 1:
        return
    gradients = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
    has_gradient = gradients[0].new_tensor([weight.grad is not None for weight in weights])
    # One message, because each has a latency of its own.
    total = summed(torch.cat([*(gradient.reshape(-1) for gradient in gradients), has_gradient]))
    *sums, counts = torch.split(total, [*(gradient.numel() for gradient in gradients), len(weights)])
    torch._foreach_copy_(gradients, [part.view(weight.shape) for part, weight in zip(sums, weights, strict=True)])
    if any(weight.grad is None for weight in weights):
        for weight, gradient, count in zip(weights, gradients, counts.tolist(), strict=True):
            weight.grad = gradient if count > 0 else None


def copy_of(path: Path | None, destination: Path) -> Path | None:
    """The first process's file, in the others a copy at the destination: they need not share a disk. None: it has none.

    Only the first process's path counts.
    """
    if process_count() == 1:
        return path
    content = path.read_bytes() if is_first() and path is not None else b""
    size = int(from_first(torch.tensor([len(content)])).item())
    if size == 0:
        return None
    data = (
        torch.frombuffer(bytearray(content), dtype=torch.uint8) if is_first() else torch.empty(size, dtype=torch.uint8)
    )
    data = from_first(data)
    if is_first():
        return path
    destination.write_bytes(data.numpy().tobytes())
    return destination


def from_first(values: Tensor) -> Tensor:
    """The first process's values. values: elsewhere any of that shape."""
    sent = values.to(wire_device(values.device))
    torch_distributed.broadcast(sent, 0)
    return sent.to(values.device)


def wire_device(device: torch.device) -> torch.device:
    """Where values must be to be sent: NCCL alone, as Ray sets it up, sends nothing from the CPU."""
    only_nccl = torch_distributed.get_backend() == torch_distributed.Backend.NCCL
    return torch.device("cuda", torch.cuda.current_device()) if only_nccl else device
