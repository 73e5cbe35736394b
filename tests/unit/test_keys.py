"""Keys: made once, apart from the data, moved from where they used to lie, and switched in one step."""

from __future__ import annotations

import json
import stat
import threading

import pytest

from core.errors import Misconfigured
from core.keys import derived, key_mark, keys_file, keys_in_force, prepare_next, read_keys, switch_to_next
from core.settings import load_settings, make_keys_once

OLD = {"SECRET_KEY": "s" * 64, "PERSON_KEY": "p" * 64}
NEW = OLD | {"PERSON_KEY": "n" * 64}


def environ(tmp_path, **more):
    return {"BIANZHI_HOME": str(tmp_path / "home")} | {f"BIANZHI_{name}": str(value) for name, value in more.items()}


def test_development_makes_its_keys_once_in_a_folder_of_their_own(tmp_path):
    first, second = (load_settings(environ(tmp_path)) for _ in range(2))
    assert (first.secret_key, first.person_key) == (second.secret_key, second.person_key)
    path = tmp_path / "home" / "keys" / "keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [child.name for child in path.parent.iterdir()] == ["keys.json"]


def test_many_processes_at_once_agree(tmp_path):
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(load_settings(environ(tmp_path)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({settings.person_key for settings in seen}) == 1
    assert len(seen) == 8


def test_the_key_file_of_an_older_home_is_moved_once(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "keys.json").write_text(json.dumps(OLD))
    assert load_settings(environ(tmp_path)).person_key == OLD["PERSON_KEY"]
    assert not (home / "keys.json").exists()
    assert read_keys(home / "keys" / "keys.json") == OLD
    assert load_settings(environ(tmp_path)).person_key == OLD["PERSON_KEY"]


def test_the_folder_may_lie_outside_and_the_environment_wins(tmp_path):
    outside = tmp_path / "safe"
    settings = load_settings(environ(tmp_path, KEYS=outside, PERSON_KEY="e" * 40))
    assert settings.person_key == "e" * 40
    assert settings.secret_key == read_keys(keys_file(outside))["SECRET_KEY"]
    assert not (tmp_path / "home" / "keys").exists()


@pytest.mark.parametrize("place", ["home/keys", "home/snapshots/keys", "home"])
def test_production_refuses_keys_beside_its_data(tmp_path, place):
    folder = tmp_path / place
    folder.mkdir(parents=True, mode=0o700)
    keys_file(folder).write_text(json.dumps(OLD))
    keys_file(folder).chmod(0o600)
    with pytest.raises(Misconfigured, match="apart from the data"):
        load_settings(environ(tmp_path, ENV="production", KEYS=folder))


def test_development_refuses_keys_inside_snapshots(tmp_path):
    with pytest.raises(Misconfigured, match="apart from the data"):
        load_settings(environ(tmp_path, KEYS=tmp_path / "home" / "raw" / "k"))


def test_production_refuses_to_start_without_keys_and_makes_none(tmp_path):
    with pytest.raises(Misconfigured, match="production needs BIANZHI_SECRET_KEY, BIANZHI_PERSON_KEY"):
        load_settings(environ(tmp_path, ENV="production"))
    assert not (tmp_path / "home").exists()


def test_keys_made_for_production_take_over_those_of_the_environment(tmp_path):
    env = environ(tmp_path, ENV="production", KEYS=tmp_path / "safe", PERSON_KEY=OLD["PERSON_KEY"])
    path = make_keys_once(env)
    held = read_keys(path)
    del env["BIANZHI_PERSON_KEY"]
    settings = load_settings(env)
    assert (settings.person_key, settings.secret_key) == (OLD["PERSON_KEY"], held["SECRET_KEY"])
    with pytest.raises(Misconfigured, match="already"):
        make_keys_once(env)


def test_production_refuses_keys_that_others_may_read(tmp_path):
    env = environ(tmp_path, ENV="production", KEYS=tmp_path / "safe")
    make_keys_once(env).chmod(0o640)
    with pytest.raises(Misconfigured, match="chmod 600"):
        load_settings(env)


def test_a_damaged_key_file_is_said_not_replaced(tmp_path):
    folder = tmp_path / "home" / "keys"
    folder.mkdir(parents=True)
    keys_file(folder).write_text('{"SECRET_KEY": "')
    with pytest.raises(Misconfigured, match="cannot be read"):
        load_settings(environ(tmp_path))


@pytest.mark.parametrize(("database", "person_key"), [(OLD, OLD), (NEW, NEW), (None, OLD)])
def test_in_the_middle_of_a_rotation_the_database_decides(tmp_path, database, person_key):
    prepare_next(tmp_path, OLD)
    switch_to_next(tmp_path)
    prepare_next(tmp_path, NEW)
    mark = key_mark(database["PERSON_KEY"]) if database else None
    assert keys_in_force(tmp_path, lambda: mark) == person_key
    switch_to_next(tmp_path)
    assert keys_in_force(tmp_path, lambda: pytest.fail("not asked")) == NEW


def test_settings_show_no_key(tmp_path):
    settings = load_settings(environ(tmp_path))
    assert settings.person_key not in repr(settings)
    assert settings.secret_key not in repr(settings)


def test_what_is_derived_differs_by_purpose_and_key():
    made = {derived(key, purpose) for key in ("a" * 32, "b" * 32) for purpose in ("mark", "identities")}
    assert len(made) == 4
