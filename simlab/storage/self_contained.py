"""Whether an HDF5 file holds all of its data itself: a file of others may ask its reader for other files of the disk.

HDF5 follows external links and reads external storage and virtual datasets from whatever file they name, be it a
private one, whose content would then stand in a report, or a fifo, on which the reader waits for ever.
"""

from typing import Any, BinaryIO


def check_self_contained(file: BinaryIO) -> None:
    """Raise ``ValueError`` for an open HDF5 file with links or external or virtual storage; no data is read."""
    import h5py
    from h5py import h5o  # pyright: ignore[reportAttributeAccessIssue] - compiled

    with h5py.File(file, "r") as opened:
        waiting: list[Any] = [opened["/"]]
        visited = set()
        while waiting:
            group = waiting.pop()
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise ValueError(f"its {name!r} is a link, which may lead to another file")
                member = group[name]
                address = h5o.get_info(member.id).addr
                if address in visited:
                    continue
                visited.add(address)
                if isinstance(member, h5py.Group):
                    waiting.append(member)
                elif isinstance(member, h5py.Dataset) and (member.external or member.is_virtual):
                    raise ValueError(f"the data of {name!r} are said to be in another file")
    file.seek(0)
