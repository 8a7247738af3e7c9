"""What a worker looks at before it starts."""

from types import SimpleNamespace

import pytest

from workers import __main__ as program


def test_a_folder_that_can_not_be_written_is_refused_at_start(tmp_path, monkeypatch):
    """Not run by run: mirrors and workspaces have nowhere to go."""
    file = tmp_path / "file"
    file.write_text("")
    chosen = SimpleNamespace(config=file, redis_url="", data_dir=file / "data")
    monkeypatch.setattr(program, "settings", lambda: chosen)
    for name in ("load", "refuse_lossy"):
        monkeypatch.setattr(program, name, lambda _: None)
    with pytest.raises(SystemExit, match=r"SLIPWAY_DATA_DIR: can't write to .*file/data"):
        program.main([])
