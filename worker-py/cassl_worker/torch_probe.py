"""Whether torch can be used here, and on what.

python -m cassl_worker.torch_probe prints what is found as JSON: importing torch takes seconds.
"""

import glob
import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Torch:
    """An installed torch.

    Attributes:
        cuda: version of CUDA that it is built for; empty if it is for CPUs.
        threads: of the CPU that it computes with.
        gpus: names of those that it can use.
        gpu_files: how many GPUs the machine has, by their device files.
        fault: why it cannot be imported; empty if it can.
    """

    version: str = ""
    cuda: str = ""
    threads: int = 0
    gpus: list[str] = field(default_factory=list)
    gpu_files: int = 0
    fault: str = ""


def probe() -> Torch:
    gpu_files = len(glob.glob("/dev/nvidia[0-9]*"))
    try:
        import torch
    except (ImportError, OSError) as error:
        return Torch(gpu_files=gpu_files, fault=str(error))
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return Torch(
        version=torch.__version__,
        cuda=torch.version.cuda or "",
        threads=torch.get_num_threads(),
        gpus=[torch.cuda.get_device_name(index) for index in range(count)],
        gpu_files=gpu_files,
    )


if __name__ == "__main__":
    print(json.dumps(asdict(probe())))
