#!/bin/sh
# Makes the virtual environment and installs one of our requirement files into it, unless that has been done.
# Usage: sh embedded/install.sh VENV REQUIREMENTS-FILE
#
# What is installed is told by stamps in the environment: the Python and the digest of the file they were made from.
set -eu
venv=$1 requirements=$2

find_python() {
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "Satchel needs Python 3.11 or newer; set PYTHON to one, for example: make run PYTHON=/opt/python/bin/python3" >&2
    exit 1
}

fingerprint() {
    "$venv/bin/python" -c 'import hashlib, pathlib, sys
print(sys.version.split()[0], hashlib.sha256(pathlib.Path(sys.argv[1]).read_bytes()).hexdigest())' "$1"
}

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    echo "Making the virtual environment in $venv …"
    rm -rf "$venv"
    python=$(find_python)
    "$python" -m venv "$venv"
fi

if [ "$(cat "$venv/.installed-$requirements" 2>/dev/null)" = "$(fingerprint "$requirements")" ]; then
    exit 0
fi
echo "Installing $requirements …"
rm -f "$venv"/.installed-*
"$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement "$requirements"
for file in requirements*.txt; do
    # A file whose every pin stands in the installed one is installed with it.
    if ! grep -E '^[A-Za-z0-9]' "$file" | grep -qvxFf "$requirements"; then
        fingerprint "$file" >"$venv/.installed-$file"
    fi
done
