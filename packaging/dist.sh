#!/usr/bin/env bash
# Makes what is given to people, in target/dist-files: the program, stripped and linked statically where the tools are
# there, completions, manual pages, and Debian packages where `cargo deb` is there.
set -euo pipefail
cd "$(dirname "$0")/.."

limit_bytes=$((40 * 1000 * 1000))
built=${CARGO_TARGET_DIR:-target}
out=target/dist-files
arch=$(uname -m)
target=$arch-unknown-linux-gnu
link=()
if command -v musl-gcc >/dev/null && rustup target add "$arch-unknown-linux-musl" 2>/dev/null; then
  target=$arch-unknown-linux-musl
  # Addresses that the program corrects when it starts, written small: musl's own start-up code reads them, while a
  # system's C library would have to be of 2022 or later.
  link=(-C link-arg=-Wl,-z,pack-relative-relocs)
else
  echo "linked with the system's C library: a static program takes musl-gcc (package musl-tools)" >&2
fi

cargo rustc --profile dist --locked --package skrei --bin skrei --target "$target" -- "${link[@]}"
rm -rf "$out"
mkdir -p "$out/completions" "$out/man"
cp "$built/$target/dist/skrei" "$out/"
"$out/skrei" completion bash >"$out/completions/skrei.bash"
"$out/skrei" completion zsh >"$out/completions/_skrei"
"$out/skrei" completion fish >"$out/completions/skrei.fish"
"$out/skrei" man "$out/man"
gzip -9n "$out"/man/*

size=$(stat -c %s "$out/skrei")
echo "$out/skrei: $size bytes"
if ((size >= limit_bytes)); then
  echo "larger than $limit_bytes bytes" >&2
  exit 1
fi

if cargo deb --version >/dev/null 2>&1; then
  for variant in '' orchestrator compute; do
    cargo deb --no-build --package skrei --profile dist --target "$target" ${variant:+--variant "$variant"} --output "$out/"
  done
else
  echo "no Debian packages: cargo install cargo-deb" >&2
fi
ls -l "$out"
