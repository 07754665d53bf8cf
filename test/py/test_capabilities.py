from pathlib import Path

import pytest

from cassl.v1.worker_service_pb2 import Gpu

from cassl_worker import capabilities


def test_finds_what_detectors_are_built_with() -> None:
    assert "torch" in capabilities.backends()


def test_names_devices_as_torch_does() -> None:
    assert capabilities.devices([Gpu(device="cuda:0")]) == ["cpu", "cuda:0"]


def test_reads_what_nvidia_smi_says() -> None:
    text = "NVIDIA H100 80GB HBM3, 81559\nOdd, Name, [N/A]\n"
    assert capabilities.parse_gpus(text) == [("NVIDIA H100 80GB HBM3", 81559 * 2**20), ("Odd, Name", 0)]


def test_knows_a_gpu_by_its_device_file_where_nvidia_smi_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glob.glob", lambda _: ["/dev/nvidia0", "/dev/nvidia1"])
    monkeypatch.setattr(capabilities, "NVIDIA_SMI", ("/no/such/program",))
    assert capabilities.find_gpus() == [Gpu(device="cuda:0"), Gpu(device="cuda:1")]


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
