#!/usr/bin/env bash
# Makes python-runner.wasm beside this file: CPython with the standard library, as a component. Needs componentize-py
# (`pip install componentize-py==0.25.1`) and half a minute.
set -euo pipefail
cd "$(dirname "$0")"
componentize-py --quiet -d wit -w program componentize runner -o "${1:-python-runner.wasm}"
