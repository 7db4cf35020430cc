# The toolchain of rust-toolchain.toml, where rustup is told not to install it by itself.
toolchain=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
installed=$(rustup component list --toolchain "$toolchain" --installed 2>/dev/null || true)
for part in clippy rustfmt rust-std-wasm32-wasip1 rust-std-wasm32-wasip2; do
  if ! grep -q "^$part" <<<"$installed"; then
    rustup toolchain install "$toolchain" --profile minimal --no-self-update \
      --component clippy --component rustfmt --target wasm32-wasip1 --target wasm32-wasip2
    break
  fi
done
