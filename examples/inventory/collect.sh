#!/usr/bin/env bash
# The inventory as one JSON object, machine by machine: what each execution of the job told. Takes the flags of `skrei`.
set -euo pipefail
"${SKREI:-skrei}" job executions inventory --output json "$@" | python3 -c '
import json, sys
fleet = {}
for execution in sorted(json.load(sys.stdin), key=lambda one: one["CreateTime"]):
    fleet[execution["NodeID"]] = (execution["RunOutput"] or {}).get("Values")
json.dump(fleet, sys.stdout, indent=2, sort_keys=True)
print()'
