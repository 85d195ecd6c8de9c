"""Files and folders in VECTRA's directories that are not ours, for `doctor`: everything leaves them alone.

In: the settings. Out: their paths. What is ours is told by the names that we give: a name that none of us gives is
foreign. Looks only, at names; follows no symbolic link. Parquet files among the recorded data are the matter of
`foreign_files`, exports that of `doctor_kept`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from actors.core.config import Config
from actors.core.files import partial_of
from actors.core.segments import SEGMENT_NAME
from actors.rugs.schema import DOC_TYPES

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TYPE = f"({'|'.join(DOC_TYPES)})"
_CHECKPOINT = r"[0-9]{16}\.ckpt"

# folder below the data directory, or below the runtime directory -> the names that we give in it
DATA = {
    ".": r"journal|events_parquet|staging|checkpoints|state|cache|exports|taken_over|demo|run|artifacts|"
    r"privacy\.key|privacy_own\.json|profile(\.lock)?",
    "journal": rf"{SEGMENT_NAME.pattern}|reserved|quarantine",
    "staging": rf"successor\.{_TYPE}\.{_DATE}\.[0-9]+|import|({_TYPE}-{_DATE}-[0-9]{{16}}|_position)\.staged",
    "staging/import": rf"list|{_TYPE}-{_DATE}-[0-9]{{16}}",
    "checkpoints": _CHECKPOINT,
    "state": _CHECKPOINT,
    "cache": r"rounds\.arrow|\.rounds\.arrow\.tmp",
    "events_parquet": rf"doc_type={_TYPE}|_position",
}
_IN_DOC_TYPE, _IN_DATE = f"date={_DATE}", r".*\.parquet"
RUNTIME = {
    ".": r"bus|endpoints|attached|acks|log|web_token|browser\.json|children\.json|supervisor\.pid|compact\.request.*",
    "attached": r"capture-[ab]",
    "acks": r"capture-[ab]",
}


def strangers(config: Config) -> list[Path]:
    """Return what is not ours in the data and runtime directories, in order."""
    data, runtime = config.data_path, config.runtime_path
    found = [path for folder, names in DATA.items() for path in _foreign(data / folder, names)]
    found += [path for folder, names in RUNTIME.items() for path in _foreign(runtime / folder, names)]
    for doc_type in DOC_TYPES:
        folder = data / "events_parquet" / f"doc_type={doc_type}"
        found += _foreign(folder, _IN_DOC_TYPE)
        for day in _names(folder, _IN_DOC_TYPE):
            found += _foreign(folder / day, _IN_DATE)
    given = {data, runtime, config.profile_path, config.profile_path.with_name(f"{config.profile_path.name}.lock")}
    return sorted({path for path in found if not any(one.is_relative_to(path) for one in given)})


def _foreign(folder: Path, names: str) -> Iterator[Path]:
    ours = re.compile(names)
    partial = partial_of(names)
    for name in _names(folder, ""):
        if not ours.fullmatch(name) and not partial.fullmatch(name):
            yield folder / name


def _names(folder: Path, wanted: str) -> list[str]:
    """Return what lies in a folder, by name; nothing where it is none, or is a link to one."""
    if folder.is_symlink() and folder.name.startswith(("doc_type=", "date=")):
        return []
    try:
        names = (path.name for path in folder.iterdir())
        return sorted(name for name in names if not wanted or re.fullmatch(wanted, name))
    except OSError:
        return []
