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

# the API against its own description, with many requests
api-fuzz:
    SKREI_FUZZ_EXAMPLES=200 cargo test --package skrei --test system -- --nocapture api_fuzz

# requests a second and latency of the API, over HTTP and HTTPS, with one client and with 64
bench-api:
    cargo bench --package skrei-requester --bench api

# the same beside 500 submissions a second, with a million jobs in the store
bench-size:
    cargo bench --package skrei-requester --bench store_at_size

# whatever reads bytes of others, each for a minute; needs a nightly compiler and cargo-fuzz. What it finds stays in target/
fuzz seconds="60":
    for target in modules allow_list network; do \
        mkdir -p target/corpus/$target && \
        cargo +nightly fuzz run --sanitizer none $target target/corpus/$target fuzz/corpus/$target -- -max_total_time={{seconds}} || exit 1; \
    done

# adds to the corpora what of that leads to code that nothing in them leads to
fuzz-keep:
    for target in modules allow_list network; do \
        cargo +nightly fuzz run --sanitizer none $target fuzz/corpus/$target target/corpus/$target -- -set_cover_merge=1 -use_counters=0 || exit 1; \
    done

# a fleet of real links over TLS, 1,000 and 10,000 of them: what a node costs, how long a job takes over all
bench-fleet *which:
    cargo bench -p skrei-requester --bench fleet -- {{which}}

# half an hour of a fleet that lives: nodes and jobs of every type come and go, memory, files and store stay flat
soak seconds="1800":
    SKREI_SOAK_SECONDS={{seconds}} cargo test --package skrei --test system -- --nocapture soak

# a cluster in simulated time with new seeds, for so long
simulate seconds="600":
    SKREI_CLUSTER_SECONDS={{seconds}} cargo test --package skrei-compute --test suite -- --nocapture cluster

# bring golden files up to date; look at the diff
golden:
    UPDATE_GOLDEN=1 cargo test --workspace

# what is given to people: one program, completions, manual pages, a Debian package
dist:
    packaging/dist.sh

# what CI runs
ci:
    bash .ci/run
