"""The memory left to a job within nested control groups of both versions, and in a container."""

import pytest

from simlab.runtime.control_groups import free_in_groups

pytestmark = pytest.mark.quick

MB = 2**20
VERSIONS = {
    1: ("memory/", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file", "9:memory:", 2**63 - 4096),
    2: ("", "memory.max", "memory.current", "inactive_file", "0::", "max"),
}


@pytest.mark.parametrize("version", [1, 2])
def test_the_tightest_group_counts(tmp_path, version):
    root, limit, used, cached, row, unlimited = VERSIONS[version]
    membership = tmp_path / "cgroup"
    membership.write_text(f"5:cpu,cpuacct:/elsewhere\n{row}/slurm/job_7/step_0\n")

    def group(name, most, use):
        folder = tmp_path / root / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / limit).write_text(f"{most}\n")
        (folder / used).write_text(f"{use}\n")
        return folder

    group("", unlimited, 900 * MB)
    group("slurm", 800 * MB, 300 * MB)
    group("slurm/job_7/step_0", unlimited, 90 * MB)
    assert free_in_groups(tmp_path, membership) == 500 * MB
    job = group("slurm/job_7", 200 * MB, 120 * MB)
    assert free_in_groups(tmp_path, membership) == 80 * MB
    # What is only cached of files is given back.
    (job / "memory.stat").write_text(f"anon {40 * MB}\n{cached} {30 * MB}\n")
    assert free_in_groups(tmp_path, membership) == 110 * MB
    # Another job's limit is not this one's; nor is a group of which there is no folder, as in a container.
    group("slurm/job_8", 10 * MB, 10 * MB)
    membership.write_text(f"{row}/not/mounted\n")
    assert free_in_groups(tmp_path, membership) is None
    group("", 64 * MB, 4 * MB)
    assert free_in_groups(tmp_path, membership) == 60 * MB


def test_without_groups_there_is_no_limit(tmp_path):
    assert free_in_groups(tmp_path / "absent", tmp_path / "none") is None
