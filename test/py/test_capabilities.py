from pathlib import Path

import pytest

from cassl.v1.worker_service_pb2 import Gpu

from cassl_worker import capabilities
from cassl_worker.errors import CasslError


def test_finds_what_detectors_are_built_with() -> None:
    assert "torch" in capabilities.backends()


def test_names_the_versions_of_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capabilities, "COMPUTING_PACKAGES", ("torch", "no-such-package"))
    found = capabilities.versions()
    assert list(found) == ["python", "torch"]
    assert found["torch"][0].isdigit()


def test_names_devices_as_torch_does() -> None:
    assert capabilities.devices([Gpu(device="cuda:0")]) == ["cpu", "cuda:0"]


def test_reads_what_nvidia_smi_says() -> None:
    text = "NVIDIA H100 80GB HBM3, 81559\nOdd, Name, [N/A]\n"
    assert capabilities.parse_gpus(text) == [("NVIDIA H100 80GB HBM3", 81559 * 2**20), ("Odd, Name", 0)]


def test_knows_a_gpu_by_its_device_file_where_nvidia_smi_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glob.glob", lambda _: ["/dev/nvidia0", "/dev/nvidia1"])
    monkeypatch.setattr(capabilities, "NVIDIA_SMI", ("/no/such/program",))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert capabilities.find_gpus() == [Gpu(device="cuda:0"), Gpu(device="cuda:1")]


def test_sees_only_the_gpus_that_cuda_lets_it_see() -> None:
    gpus = [("A", 1), ("B", 2), ("C", 3)]
    expected = {None: "ABC", "": "", "2,0": "CA", "1,-1,0": "B", "0,7,1": "A", "-1": ""}
    for names, seen in expected.items():
        assert "".join(name for name, _ in capabilities.visible(gpus, names)) == seen, names
    assert capabilities.visible(gpus, "GPU-1,GPU-2") == [("", 0)] * 2


def test_refuses_processes_that_would_share_a_gpu() -> None:
    capabilities.check_process_count(2, [])
    capabilities.check_process_count(2, [Gpu(), Gpu()])
    with pytest.raises(CasslError, match="--processes is 3") as caught:
        capabilities.check_process_count(3, [Gpu(), Gpu()])
    assert caught.value.reason == "CONFIG_INVALID"


def test_takes_the_limit_of_a_container_for_its_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unlimited, limited = tmp_path / "unlimited", tmp_path / "limited"
    unlimited.write_text("max\n")
    limited.write_text("1048576\n")
    installed = capabilities.memory_bytes()
    assert installed > 2**20
    monkeypatch.setattr(capabilities, "CGROUP_LIMITS", (unlimited, tmp_path / "missing"))
    assert capabilities.memory_bytes() >= installed
    monkeypatch.setattr(capabilities, "CGROUP_LIMITS", (unlimited, limited))
    assert capabilities.memory_bytes() == 2**20
