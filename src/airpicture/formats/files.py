"""Files as bytes: opening with plain messages, gzip, looking at the first bytes, and writing without half files."""

from __future__ import annotations

import codecs
import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from airpicture.errors import InputError
from airpicture.formats.unpacking import MAGIC, Unpacked, unpack
from airpicture.words import counted

HEAD = 65_536  # bytes looked at to recognise a format: a header line of any table, several ASTERIX blocks
_FOREIGN = {  # what people hand over by mistake, to name it
    b"PK\x03\x04": "a zip archive",
    b"\xfd7zXZ": "an xz-compressed file",
    b"\x28\xb5\x2f\xfd": "a zstd-compressed file",
    b"BZh": "a bzip2-compressed file",
    b"\x89PNG": "a picture (PNG)",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
}


def read_head(path: str | os.PathLike[str]) -> bytes:
    """Return the first bytes of a file, unpacked where it's gzip.

    Raises
    ------
    InputError : missing, a folder, not readable, empty, or gzip of which nothing can be unpacked
    """
    name = os.fspath(path)
    with _plain_errors(name), open(path, "rb") as file:
        head = file.read(HEAD)
        if head.startswith(MAGIC):
            found = unpack(head, HEAD)
            if found.fault == "ends too soon" and len(head) == HEAD:  # packed so little that a head of it isn't one
                found = unpack(head + file.read(), HEAD)
            head = found.data[:HEAD]
            if found.fault and (not head or (b"\n" not in head and not found.ended and is_text(head))):
                raise _nothing_unpacked(found, name)
    if not head:
        raise InputError("the file is empty", expected="a recording or a table", path=name)
    return head


def read_bytes(path: str | os.PathLike[str], told: list[str] | None = None) -> bytes:
    """Return the whole content of a file, unpacked where it's gzip.

    Parameters
    ----------
    told : where gzip breaks off or is damaged, what comes before that is returned (of text the whole lines), and a
        sentence on it is added here, for `recording.with_breaks`; None: that's an error

    Raises
    ------
    InputError : missing, a folder, not readable, empty, or gzip that breaks off: at all, or before anything whole
    """
    name = os.fspath(path)
    with _plain_errors(name):
        data = Path(path).read_bytes()
        if data.startswith(MAGIC):
            try:
                data = gzip.decompress(data)
            except (EOFError, zlib.error, gzip.BadGzipFile):
                if told is None:
                    raise
                data = _up_to_damage(data, name, told)
    if not data:
        raise InputError("the file is empty", expected="a recording or a table", path=name)
    return data


def is_gzip(path: str | os.PathLike[str]) -> bool:
    """Say whether a file is gzip by its first bytes."""
    with open(path, "rb") as file:
        return file.read(2) == MAGIC


def looks_like(head: bytes) -> str:
    """Describe first bytes to a person: the foreign format they belong to, the text, or their hex values."""
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            return f"it looks like {what}"
    if is_text(head):
        line = head.decode("utf-8", "replace").lstrip("\ufeff").lstrip()[:60].splitlines()
        return f"it starts with the text {line[0] if line else ''!r}"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or (len(head) > 40 and not (any(head[:40:2]) and any(head[1:40:2]))):
        return "it looks like text in UTF-16; save it as UTF-8"
    return f"its first bytes are {head[:12].hex(' ')}"


def is_text(head: bytes) -> bool:
    """Say whether bytes are text: UTF-8 without control characters but tab and line ends.

    One byte in a hundred may be spoilt: a log whose disk lost its power is text all the same, and its reader counts the
    line. Of blocks and frames every other byte would be.
    """
    sample = head[:4096]
    spoilt = sum(byte < 32 and byte not in (9, 10, 12, 13) for byte in sample)
    try:
        text = sample.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start > len(sample) - 4 and len(head) > len(sample):  # only cut within its last character
            sample = sample[: error.start]
        text = sample.decode("utf-8", "replace")
    return spoilt + text.count("\ufffd") <= len(sample) // 100


def is_western(head: bytes) -> bool:
    """Say whether bytes are text, be it in UTF-8 or of a program that writes letters with accents as single bytes."""
    return is_text(text_of(head[:4096]).encode())


def text_of(data: bytes) -> str:
    """Return text in UTF-8; single bytes that aren't, as older programs write accents, are taken for Windows-1252."""
    return data.decode("utf-8", _WESTERN)


def _western(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError), "it is registered for decoding alone"
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


_WESTERN: Final = "airpicture-windows-1252"  # the name of that way of taking errors
codecs.register_error(_WESTERN, _western)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[str]:
    """Give a name to write to, which takes the place of `path` at the end: no half-written file stays behind.

    Raises
    ------
    InputError : the place can't be written to
    """
    name = os.fspath(path)
    temporary = f"{name}.{os.getpid()}.part"
    try:
        yield temporary
        os.replace(temporary, name)
    except OSError as error:
        folder = os.path.dirname(name) or "."
        why = f"the folder {folder!r} doesn't exist" if not os.path.isdir(folder) else (error.strerror or str(error))
        raise InputError(f"it can't be written: {why}", todo="Choose another place", path=name) from None
    finally:
        with suppress(OSError):
            os.unlink(temporary)


def _up_to_damage(packed: bytes, name: str, told: list[str]) -> bytes:
    """Return what can be unpacked of damaged gzip, of text its whole lines; told : added to.

    Raises
    ------
    InputError : nothing whole comes before the damage
    """
    found = unpack(packed)
    data = found.data
    if not found.ended and is_text(data[:HEAD]):
        data = data[: data.rfind(b"\n") + 1]  # a line that breaks off may hold half a number
    if not data:
        raise _nothing_unpacked(found, name)
    what, size = f"the gzip data {found.fault}", counted(len(data), "byte")
    if found.fault == "ends too soon":
        told.append(f"{what}: {size} before that are read; if the copy breaks off, copy it again")
    elif not found.ended:
        told.append(f"{what}: {size} before that are read, and the last of them may be wrong")
    elif "checksum" in found.fault:
        told.append(f"{what}: all {size} are read, but somewhere among them are wrong ones")
    else:
        told.append(f"{what}: {size} before that are read")
    return data


def _nothing_unpacked(found: Unpacked, name: str) -> InputError:
    unpacked = "before anything whole in it" if found.data else "before anything can be unpacked"
    return InputError(
        f"the gzip data breaks off or is damaged {unpacked} (it {found.fault})",
        expected="a whole .gz file",
        todo="Copy it again",
        path=name,
    )


@contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError("there is no such file", expected="a recording or a table", path=name) from None
    except IsADirectoryError:
        raise InputError("it is a folder", expected="a file", path=name) from None
    except PermissionError:
        raise InputError("it may not be read", todo="Check its permissions", path=name) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"the gzip data breaks off or is damaged ({error})",
            expected="a whole .gz file",
            todo="Copy it again",
            path=name,
        ) from None
    except OSError as error:
        raise InputError(f"it can't be read: {error.strerror or error}", path=name) from None
