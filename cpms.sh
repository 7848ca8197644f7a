#!/bin/sh
# Everything there is to do with this folder, from an empty machine on: it needs a shell and Debian or Raspberry Pi OS
# (or any system that has Python 3.11 or newer). What it installs goes into .venv; what a clinic writes into instance.
set -eu
umask 022
cd "$(dirname "$0")"
python=${PYTHON:-python3}

usage() {
    cat <<'END'
usage: ./cpms.sh COMMAND

  run                start the clinic's server; the first time it prints the link to set the clinic up
  demo               the same with a made-up clinic to try things in, in a folder of its own (instance-demo)
  test [ARGUMENT…]   run the tests, all or as pytest's arguments say
  drill              pull the plug a thousand times, spoil backups, restore them: the promises as figures (long)
  lint               check style, types, templates and vendored files
  words COMMAND      look after the translations: update, check, missing, fill (docs/translating.md)
  bench [ARGUMENT…]  measure speed and memory against the goals
  install            only install what run needs, for a server that may not write here (docs/operating.md)
  manage [COMMAND…]  the server's own commands, such as: manage setup-link
  help               show this

The CPMS_* variables in docs/operating.md say where it listens and where it writes.
PYTHON=python3.13 ./cpms.sh … takes another Python than python3.
END
}

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$@"
    exit 1
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Installs Debian packages, if this is a Debian and we have the right or somebody sits here to type a password.
debian() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; } || return 1
    say "Installing the system's packages: $*"
    # A fresh machine may still be busy with its own updates: wait for them.
    as_root apt-get -qq -o DPkg::Lock::Timeout=300 update >&2 || return 1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 \
        install "$@" >&2
}

make_venv() {
    command -v "$python" >/dev/null || debian python3 python3-venv ||
        fail "Python 3.11 or newer is missing. Please run: sudo apt install python3 python3-venv"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed, and $python is not: $("$python" -V 2>&1 || true)"
    # pip is missing after a start that broke off; another version is there after an upgrade of the system.
    version='import sys; print(sys.version_info[:2])'
    if .venv/bin/python -m pip --version >/dev/null 2>&1 &&
        [ "$(.venv/bin/python -c "$version")" = "$("$python" -c "$version")" ]; then
        return
    fi
    "$python" -c 'import venv; from ensurepip import version' 2>/dev/null || debian python3-venv ||
        fail "Python's venv is missing. Please run: sudo apt install python3-venv"
    rm -rf .venv
    "$python" -m venv .venv
}

# Makes .venv hold what the lock file $1 names, byte for byte. Starts no Python when nothing has changed.
install() {
    stamp="$(cksum <"$1") $(readlink -f "$(command -v "$python")" || true)"
    if [ "$(cat ".venv/$1.stamp" 2>/dev/null)" = "$stamp" ]; then return; fi
    if [ ! -w . ] || { [ -e .venv ] && [ ! -w .venv ]; }; then
        fail "The installed packages are not those of this version, and $(id -un) may not change them." \
            "Please run as the owner of $PWD: ./cpms.sh install"
    fi
    make_venv
    say "Installing $(grep -c '==' "$1") Python packages; on a small machine this takes some minutes."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
        --require-hashes --only-binary :all: -r "$1"
    # Python may have come with make_venv: look for it again.
    echo "$(cksum <"$1") $(readlink -f "$(command -v "$python")")" >".venv/$1.stamp"
}

# Writes the compressed twins of the static files, which are served instead of them. Stale twins would hide a change.
compress_static() {
    stamp=$(find cpms/static -type f ! -name '*.gz' ! -name '*.br' -exec cksum {} + | LC_ALL=C sort | cksum)
    if [ "$(cat .venv/static.stamp 2>/dev/null)" = "$stamp" ]; then return; fi
    [ -w cpms/static ] || fail "Please run as the owner of $PWD: ./cpms.sh install"
    find cpms/static -type f \( -name '*.gz' -o -name '*.br' \) -delete
    .venv/bin/python -m whitenoise.compress --quiet cpms/static
    echo "$stamp" >.venv/static.stamp
}

# All that the server and its commands need. What they write is for their own user.
ready() {
    install requirements.txt
    compress_static
    umask 077
    # Python's compiled files halve the time of a start.
    unset PYTHONDONTWRITEBYTECODE
}

manage() { .venv/bin/python -m flask --app cpms cpms "$@"; }

# Becomes the server, which brings the database up to date itself and says where to go: see wsgi.py.
serve() {
    exec .venv/bin/python -m gunicorn wsgi:app
}

has_chromium() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null; }

run_tests() {
    install requirements-dev.txt
    compress_static
    unset PYTHONDONTWRITEBYTECODE # servers and children start in half the time
    # Each process takes from the rest of the slowest one, so that two browsers end at about the same time.
    set -- -n auto --maxprocesses 8 --dist worksteal "$@"
    if has_chromium || debian chromium || debian chromium-browser && has_chromium; then
        exec .venv/bin/python -m pytest "$@"
    fi
    [ "${CI:-}" != true ] || fail "FAILED: Chromium is missing and could not be installed; with CI=true no test is left out."
    result=0
    .venv/bin/python -m pytest --ignore tests/browser "$@" || result=$?
    say "LEFT OUT: tests/browser, $(find tests/browser -name 'test_*.py' | wc -l) files, because there is no Chromium." \
        "Please run: sudo apt install chromium"
    exit "$result"
}

# The hard tests, many times over, and the table of what they reached.
run_drill() {
    install requirements-dev.txt
    DRILL_TABLE=$(mktemp)
    export DRILL="${DRILL:-1}" DRILL_TABLE
    result=0
    .venv/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile \
        tests/property/test_kill.py tests/property/test_power_cut.py tests/property/test_backup_under_load.py \
        tests/property/test_backup_faults.py tests/property/test_restore_streams.py tests/property/test_put_back_served.py \
        tests/property/test_no_double_booking.py tests/property/test_no_lost_update.py tests/service/test_restore.py \
        tests/service/test_audit_chain.py tests/service/test_bad_disk.py tests/web/test_disk_full.py \
        tests/migration/test_upgrade.py tests/property/test_xray_fuzz.py "$@" || result=$?
    .venv/bin/python -m tests.drill
    rm -f "$DRILL_TABLE"
    exit "$result"
}

# All checks run, so that one round shows everything there is to mend.
run_lint() {
    install requirements-dev.txt
    result=0
    .venv/bin/python -m ruff check . || result=1
    .venv/bin/python -m ruff format --check --output-format concise . ||
        { say "Not formatted; please run: .venv/bin/ruff format ."; result=1; }
    .venv/bin/python -m mypy || result=1
    .venv/bin/python -m djlint --lint --quiet cpms/templates || result=1
    .venv/bin/python scripts/vendor.py check || result=1
    .venv/bin/python scripts/slots_css.py check || result=1
    if command -v shellcheck >/dev/null; then shellcheck cpms.sh .ci/run || result=1; fi
    exit "$result"
}

command=${1:-help}
[ $# = 0 ] || shift
case $command in
run)
    ready
    serve
    ;;
demo)
    # Whatever the real clinic's variables say: the made-up people never get into its database.
    unset CPMS_DATABASE_URL
    export CPMS_INSTANCE=instance-demo
    ready
    manage prepare --demo
    serve
    ;;
test) run_tests "$@" ;;
drill) run_drill "$@" ;;
lint) run_lint ;;
words)
    install requirements-dev.txt
    exec .venv/bin/python scripts/words.py "$@"
    ;;
bench)
    install requirements-dev.txt
    compress_static
    exec .venv/bin/python -m bench "$@"
    ;;
install)
    install requirements.txt
    compress_static
    # A server that may not write here would compile all of this at each start.
    .venv/bin/python -m compileall -q config.py wsgi.py gunicorn.conf.py cpms migrations
    ;;
manage)
    ready
    manage "$@"
    ;;
help | -h | --help) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
