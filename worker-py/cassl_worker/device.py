"""Where torch computes, and with which precision."""

import os
from contextlib import AbstractContextManager

import torch


def pick_device() -> torch.device:
    """The first GPU, or else the CPU with all cores that this process may use."""
    if torch.cuda.is_available():
        return torch.device("cuda", 0)
    use_all_cores()
    return torch.device("cpu")


def release_memory() -> None:
    """Gives back the GPU memory that torch keeps for later, so that other processes can have it."""
    torch.cuda.empty_cache()


def device_of_rank(rank: int, count: int) -> torch.device:
    """Of one of `count` processes of this machine: a GPU of its own, or the CPU with its part of the cores."""
    if torch.cuda.is_available():
        torch.cuda.set_device(rank)
        return torch.device("cuda", rank)
    torch.set_num_threads(max(1, core_count() // count))
    return torch.device("cpu")


def use_all_cores() -> None:
    """torch by itself counts the cores of the machine, also where the process may use only some of them."""
    torch.set_num_threads(core_count())


def core_count() -> int:
    # Only Linux can say which.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """precision: `float32`, or `auto` for bfloat16 where it is faster."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "auto" and has_fast_bfloat16(device))


def has_fast_bfloat16(device: torch.device) -> bool:
    """On a CPU only matrix tiles (AMX) pay: with AVX-512 BF16 alone, small detectors train slower than in float32."""
    if device.type == "cpu":
        return bool(torch.cpu.get_capabilities().get("amx_bf16", False))
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))
