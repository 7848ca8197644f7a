import logging
import logging.config
import os
import secrets
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import ROOT, VARIABLES, Config, mdns_name, table


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "instance"


@pytest.fixture
def read(folder):
    return lambda **variables: Config.from_env({"CPMS_INSTANCE": str(folder)} | variables)


@pytest.fixture
def complaint(read, folder, capsys):
    """What a start with these variables says before it ends."""

    def _complaint(**variables):
        with pytest.raises(SystemExit) as end:
            read(**variables)
        assert end.value.code == 2
        said = capsys.readouterr().err
        assert said.startswith("Cannot start: ")
        assert said.count("\n") == 1
        return said

    return _complaint


@pytest.fixture
def pair(tmp_path):
    """A certificate and its key, as far as the settings look at them."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_text("certificate")
    key.write_text("key")
    key.chmod(0o640)
    return {"CPMS_TLS_CERT": str(cert), "CPMS_TLS_KEY": str(key)}


def test_nothing_set_listens_on_this_machine_only(read, folder):
    config = read()
    assert config.bind == "127.0.0.1:5000"
    assert config.address == "http://127.0.0.1:5000"
    assert config.database_url == f"sqlite:///{folder}/clinic.db"
    assert (config.workers, config.threads) == (1, 8)
    assert {"localhost", "127.0.0.1"} <= config.trusted_hosts


def test_empty_variables_count_as_not_set(read):
    assert read(CPMS_PORT="", CPMS_WORKERS=" ").bind == "127.0.0.1:5000"


def test_a_relative_folder_lies_in_the_programs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inside = os.path.relpath(tmp_path / "here", ROOT)
    assert Config.from_env({"CPMS_INSTANCE": inside}).instance == tmp_path / "here"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CPMS_PORT", "http"),
        ("CPMS_PORT", "0"),
        ("CPMS_PORT", "65536"),
        ("CPMS_PORT", "-1"),
        ("CPMS_PORT", "5000.5"),
        ("CPMS_PORT", "\u0665"),
        ("CPMS_PORT", "9" * 5000),
        ("CPMS_WORKERS", "0"),
        ("CPMS_WORKERS", "many"),
        ("CPMS_THREADS", "65"),
        ("CPMS_HOST", "127.0.0.1:5000"),
        ("CPMS_HOST", "300.1.1.1"),
        ("CPMS_HOST", "http://dental.example"),
        ("CPMS_HOST", "a b"),
        ("CPMS_TRUSTED_HOSTS", "dental.example:5000"),
        ("CPMS_TRUSTED_HOSTS", "dental.example, *"),
        ("CPMS_DATABASE_URL", "clinic.db"),
        ("CPMS_DATABASE_URL", "http://[::1"),
        ("CPMS_TLS_CERT", "/nowhere/cert.pem"),
        ("CPMS_BEHIND_PROXY", "perhaps"),
        ("CPMS_PLAIN_HTTP", "2"),
        ("CPMS_LOG_LEVEL", "loud"),
        ("CPMS_LOG_JSON", "json"),
    ],
)
def test_a_bad_value_ends_the_start_with_a_sentence_that_names_it(complaint, name, text):
    assert name in complaint(**{name: text})


def test_a_refused_start_leaves_nothing_behind(complaint, folder):
    complaint(CPMS_PORT="x")
    assert not folder.exists()


def test_a_password_in_a_bad_database_address_is_not_repeated(complaint):
    assert "hunter2" not in complaint(CPMS_DATABASE_URL="postgresql:/me:hunter2@db")


def test_a_misspelt_variable_is_noticed(complaint):
    assert "CPMS_PORT" in complaint(CPMS_PROT="8080")


def test_a_foreign_variable_is_left_alone(read):
    assert read(CPMS_SOMETHING_QUITE_ELSE="1").port == 5000


def test_a_folder_that_cannot_be_made_is_named(complaint, tmp_path):
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file" / "sub") in complaint(CPMS_INSTANCE=str(tmp_path / "file" / "sub"))


def test_the_settings_do_not_change_afterwards(read):
    with pytest.raises(AttributeError):
        read().port = 1


def test_secrets_stay_out_of_what_is_printed(read):
    config = read(CPMS_DATABASE_URL="postgresql://me:hunter2@db/clinic")
    assert "hunter2" not in repr(config)
    assert repr(config.secret_key) not in repr(config)


# Who can reach the server, and how


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]", "LOCALHOST"])
def test_this_machine_needs_no_https(read, host):
    assert not read(CPMS_HOST=host).is_https


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.20", "dental.example"])
def test_other_machines_need_https(complaint, host):
    assert "CPMS_TLS_CERT" in complaint(CPMS_HOST=host)


@pytest.mark.parametrize(
    ("host", "bind", "address"),
    [
        ("0.0.0.0", "0.0.0.0:5000", f"https://{mdns_name()}:5000"),
        ("::", "[::]:5000", f"https://{mdns_name()}:5000"),
        ("fd00::5", "[fd00::5]:5000", "https://[fd00::5]:5000"),
        ("dental.example", "dental.example:5000", "https://dental.example:5000"),
    ],
)
def test_a_certificate_opens_it_to_other_machines(read, pair, host, bind, address):
    config = read(CPMS_HOST=host, **pair)
    assert (config.bind, config.address) == (bind, address)


def test_plain_http_to_other_machines_has_to_be_asked_for(read):
    assert read(CPMS_HOST="0.0.0.0", CPMS_PLAIN_HTTP="1").address == "http://127.0.0.1:5000"


def test_certificate_and_key_come_together(complaint, pair):
    assert "CPMS_TLS_KEY" in complaint(CPMS_TLS_CERT=pair["CPMS_TLS_CERT"])
    assert "CPMS_TLS_CERT" in complaint(CPMS_TLS_KEY=pair["CPMS_TLS_KEY"])


def test_a_key_that_everybody_can_read_is_refused(complaint, pair):
    Path(pair["CPMS_TLS_KEY"]).chmod(0o644)
    assert "chmod o=" in complaint(**pair)


def test_only_a_proxy_on_this_machine_is_believed(read, complaint):
    assert read(CPMS_BEHIND_PROXY="1").is_https
    assert "CPMS_BEHIND_PROXY" in complaint(CPMS_BEHIND_PROXY="1", CPMS_HOST="0.0.0.0")


def test_debugging_is_for_this_machine_only(read, complaint, pair):
    assert read(FLASK_DEBUG="1").port == 5000
    assert "FLASK_DEBUG" in complaint(FLASK_DEBUG="1", CPMS_HOST="0.0.0.0", **pair)


def test_names_are_trusted_without_regard_to_case_and_spaces(read):
    trusted = read(CPMS_TRUSTED_HOSTS=" Dental.Example ,10.0.0.5,,").trusted_hosts
    assert {"dental.example", "10.0.0.5", "localhost"} <= trusted
    assert "" not in trusted


# What Flask is told


def test_cookies_over_https(read, pair):
    flask = read(**pair).flask()
    assert flask["SESSION_COOKIE_NAME"] == "__Host-sid"
    assert flask["SESSION_COOKIE_SECURE"] is True
    assert flask["SESSION_COOKIE_HTTPONLY"] is True
    assert flask["SESSION_COOKIE_SAMESITE"] == "Lax"
    assert flask["SESSION_COOKIE_PATH"] == "/"


def test_cookies_over_plain_http(read):
    flask = read().flask()
    assert flask["SESSION_COOKIE_NAME"] == "sid"
    assert flask["SESSION_COOKIE_SECURE"] is False
    assert flask["SESSION_COOKIE_HTTPONLY"] is True


def test_a_form_left_open_over_lunch_can_be_saved(read):
    assert read().flask()["WTF_CSRF_TIME_LIMIT"] is None


def test_a_request_has_a_largest_size(read):
    assert 0 < read().flask()["MAX_CONTENT_LENGTH"] <= 32 * 1024 * 1024


# The secret key


def test_the_first_start_makes_a_key_that_only_we_can_read(read, folder):
    key = read().secret_key
    assert len(key) >= 32
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.iterdir()) == ["audit.key", "secret.key"]


def test_the_key_stays_the_same_and_is_nobody_elses(read, tmp_path):
    assert read().secret_key == read().secret_key
    assert Config.from_env({"CPMS_INSTANCE": str(tmp_path / "other")}).secret_key != read().secret_key


def test_many_first_starts_at_once_agree_on_one_key(read):
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: read().secret_key, range(64)))
    assert len(keys) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666])
def test_a_key_that_others_can_reach_is_refused(read, complaint, folder, mode):
    read()
    (folder / "secret.key").chmod(mode)
    assert "chmod 600" in complaint()


@pytest.mark.parametrize("key", [b"", b"secret", b"x" * 31, b"x" * 64, b"abc" * 30, b" \n" * 40])
def test_a_short_or_simple_key_is_refused(read, complaint, folder, key):
    read()
    (folder / "secret.key").write_bytes(key)
    assert "secret.key" in complaint()


def test_after_a_change_of_keys_the_old_one_is_still_understood(read, folder):
    old = read().secret_key
    (folder / "secret.key").rename(folder / "secret.key.old")
    flask = read().flask()
    assert flask["SECRET_KEY"] != old
    assert flask["SECRET_KEY_FALLBACKS"] == [old]


# The log


@pytest.fixture
def lines(read, capfd):
    """The log lines of one message, as the shipped server would write them."""

    def _lines(message, *args, logger="cpms", exc_info=None, **variables):
        shipped = read(**variables).logging()
        stream = shipped["handlers"]["stderr"]
        handler = logging.config.DictConfigurator(shipped)
        formatter = handler.configure_formatter(shipped["formatters"]["line"])
        record = logging.LogRecord(logger, logging.ERROR, "", 1, message, args, exc_info)
        for name in stream["filters"]:
            handler.configure_filter(shipped["filters"][name]).filter(record)
        return formatter.format(record).split("\n")

    return _lines


@pytest.mark.parametrize("json", ["0", "1"])
def test_a_log_line_cannot_be_forged(lines, json):
    assert len(lines("sign-in of %s", "x\r\n2026-01-01 INFO all is well", CPMS_LOG_JSON=json)) == 1


def test_a_forged_line_in_an_error_stands_indented_under_it(lines):
    problem = ValueError("x\n2026-01-01 INFO all is well")
    first, *rest = lines("broken", exc_info=(ValueError, problem, None))
    assert "broken" in first
    assert all(line.startswith("    ") for line in rest)


@pytest.mark.parametrize("json", ["0", "1"])
def test_what_was_searched_for_is_not_logged(lines, json):
    logged = lines(
        "Error handling request %s %s",
        "GET",
        "/patients/find?q=Ada",
        logger="gunicorn.error",
        CPMS_LOG_JSON=json,
    )
    assert "/patients/find" in logged[0]
    assert "Ada" not in logged[0]


@pytest.mark.parametrize("json", ["0", "1"])
@pytest.mark.parametrize("address", ["/feeds/{}.ics", "/setup/{}", "/setup/{}/next"])
def test_an_address_that_is_a_secret_is_not_logged(lines, address, json):
    secret = secrets.token_urlsafe(32)
    called = ("Error handling request %s %s", "GET", address.format(secret))
    logged = lines(*called, logger="gunicorn.error", CPMS_LOG_JSON=json)
    assert address.split("{")[0] in logged[0]
    assert secret not in logged[0]
    assert "/feeds/12/renew" in lines("%s", "/feeds/12/renew", CPMS_LOG_JSON=json)[0]


# What is written about it


def test_the_documentation_has_the_table_of_all_variables():
    assert table() in (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def test_gunicorn_starts_with_these_settings(folder):
    """gunicorn reads its own file, ours, and finds nothing to object to but the missing application."""
    answer = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--print-config", "wsgi:app"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "CPMS_INSTANCE": str(folder), "CPMS_PORT": "5099"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Invalid value" not in answer.stderr
    settings = dict(line.split("=", 1) for line in answer.stdout.replace(" ", "").splitlines() if "=" in line)
    assert settings["bind"] == "['127.0.0.1:5099']"
    assert settings["worker_class"] == "gthread"
    assert settings["control_socket_disable"] == "True"
    assert settings["keepalive"] == "65"


def test_every_variable_is_read_somewhere():
    source = (ROOT / "config.py").read_text()
    assert [name for name in VARIABLES if source.count(f'"{name}"') < 2] == []
