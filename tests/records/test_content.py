"""Is an image read whole, or refused?"""

from __future__ import annotations

import os
import subprocess
import sys
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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_with_the_name_of_an_image_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    read = "import sys, pathlib, linne.records.content as c; c.read_file(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", read, str(tmp_path / "a.png")], capture_output=True, text=True, timeout=20, check=False
    )
    assert "is no regular file" in done.stderr
    with pytest.raises(ImageError):
        FileContent(Path("/dev/zero")).read()
