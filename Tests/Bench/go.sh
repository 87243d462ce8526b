#!/bin/bash
# What a sample of a Go runtime costs, and what it costs the program; see go.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tests/GoMatrix/versions
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

swift build -c release --product GoSampler
gcc -O2 -o "$work/readv" Tests/Bench/readv.c
for version in "${versions[0]}" "${versions[-1]}"; do
  Tests/GoMatrix/programs "$version" -- normal
  echo "Go $version"
  python3 Tests/Bench/go.py ".build/go/programs/$version-normal" .build/release/GoSampler "$work/readv"
done
