"""Is an image read whole, or refused?"""

from __future__ import annotations

from pathlib import Path

import pytest

from linne.records.content import MAX_BYTES, FileContent
from linne.records.errors import ImageError


def test_a_file_is_read_whole_or_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"abc")
    assert FileContent(tmp_path / "a.png").read() == b"abc"
    with (tmp_path / "huge.png").open("wb") as huge:
        huge.truncate(MAX_BYTES + 1)  # a hole: takes no place on the disk
    for name in ("gone.png", "huge.png", "."):
        with pytest.raises(ImageError) as caught:
            FileContent(tmp_path / name).read()
        assert caught.value.file == str(tmp_path / name)
