#!/usr/bin/env bash
# The whole sweep: one job a point, and a table of what they found. Takes the flags of `skrei`.
set -euo pipefail
cd "$(dirname "$0")"
skrei=${SKREI:-skrei}
points=(0.45 0.50 0.55)
for chance in "${points[@]}"; do
  "$skrei" job run job.yaml -V "chance=$chance" --id-only --force "$@" >/dev/null
done
printf 'chance  share\n'
for chance in "${points[@]}"; do
  "$skrei" job executions "sweep-$chance" --output json "$@" | python3 -c '
import json, sys
values = [one["RunOutput"]["Values"] for one in json.load(sys.stdin)]
chance, share = values[0]["chance"], sum(value["share"] for value in values) / len(values)
print(f"{chance:<6.2f}  {share:.2f}")'
done
