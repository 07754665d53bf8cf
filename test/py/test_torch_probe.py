import json
import subprocess
import sys

import torch

from cassl_worker.torch_probe import probe


def test_an_installed_torch_is_described_with_what_it_can_use() -> None:
    found = probe()
    assert (found.version, found.fault) == (torch.__version__, "")
    assert len(found.gpus) == torch.cuda.device_count()
    assert found.threads >= 1


def test_a_torch_that_is_missing_is_a_fault_and_no_crash() -> None:
    script = "import sys; sys.modules['torch'] = None; from cassl_worker import torch_probe; import json, dataclasses; "
    script += "print(json.dumps(dataclasses.asdict(torch_probe.probe())))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "torch" in json.loads(done.stdout)["fault"]
