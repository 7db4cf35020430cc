# Recipes, one line each: `just` lists them.

default:
    @just --list

# see it work: a certificate deployed to three nodes on this machine
demo:
    cargo run --release -- demo

# every test
test:
    cargo test --workspace

# formatting, lints, docs: what CI asks for besides the tests
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

# figures: one warm execution, one job over HTTP, bursts of jobs, placements
bench:
    cargo bench --workspace --bench warm --bench placement --bench jobs

# bring golden files up to date; look at the diff
golden:
    UPDATE_GOLDEN=1 cargo test --workspace

# what is given to people: one program, completions, manual pages, a Debian package
dist:
    packaging/dist.sh

# what CI runs
ci:
    bash .ci/run
