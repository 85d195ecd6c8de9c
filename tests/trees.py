"""A fingerprint of a directory tree: whatever writes, touches, renames or changes a mode in it changes it."""

import hashlib
from pathlib import Path


def fingerprint(root: Path) -> dict[str, tuple[int, int, int, str]]:
    """Return the mode, size, time of change in ns and content's hash of each path below `root`, and of itself."""
    found = {}
    for path in (root, *sorted(root.rglob("*"))):
        stat = path.lstat()
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes().hex() if path.is_file() else ""
        digest = hashlib.sha256(content.encode()).hexdigest()
        found[str(path.relative_to(root))] = (stat.st_mode, stat.st_size, stat.st_mtime_ns, digest)
    return found
