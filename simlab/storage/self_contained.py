"""Check that an HDF5 file holds all of its data: a file from elsewhere may refer to other files on the disk.

HDF5 follows external links, external storage and virtual datasets to any file they name. It may be a private file,
whose content would then appear in a report, or a FIFO, which blocks the reader for ever.
"""

from typing import Any, BinaryIO


def check_self_contained(file: BinaryIO) -> None:
    """Raise ``ValueError`` for an open HDF5 file with soft or external links, external or virtual storage.

    No data is read.
    """
    import h5py
    from h5py import h5o  # pyright: ignore[reportAttributeAccessIssue] - compiled

    with h5py.File(file, "r") as opened:
        waiting: list[Any] = [opened["/"]]
        visited = set()
        while waiting:
            group = waiting.pop()
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise ValueError(f"{name!r} is a link, which may lead to another file")
                member = group[name]
                address = h5o.get_info(member.id).addr
                if address in visited:
                    continue
                visited.add(address)
                if isinstance(member, h5py.Group):
                    waiting.append(member)
                elif isinstance(member, h5py.Dataset) and (member.external or member.is_virtual):
                    raise ValueError(f"the data of {name!r} are stored in another file")
    file.seek(0)
