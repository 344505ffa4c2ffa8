# The recipes that continuous integration calls, too. `just` alone runs everything.

default: test check

# The Python tests, on the installed package.
test *arguments:
    pytest {{ arguments }}

# Everything that is not a Python test.
check: kernel lint types

# The kernel on its own, without Python, then with the bindings under clippy. What optimises across crates
# takes longer to compile than the tests take.
kernel:
    cargo fmt --manifest-path native/Cargo.toml --check
    cargo clippy --manifest-path native/Cargo.toml --all-targets -- -D warnings
    cargo clippy --manifest-path native/Cargo.toml --all-targets --features python -- -D warnings
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo test --manifest-path native/Cargo.toml --release

# `just kernel` runs the same functions with a fixed number of inputs.
# Fuzz the kernel, each target for so many seconds; needs a nightly toolchain and `cargo install cargo-fuzz`.
[working-directory('native')]
fuzz seconds="600":
    for target in $(cargo +nightly fuzz list); do \
        mkdir -p "fuzz/corpus/$target"; \
        cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
            -max_total_time={{ seconds }} -max_len=4096 || exit 1; \
    done

# The kernel's tests under AddressSanitizer, which watches the files with `unsafe`; needs a nightly toolchain.
[working-directory('native')]
sanitize:
    RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=target/sanitize \
        cargo +nightly test --release --target x86_64-unknown-linux-gnu

# The filters' tests under Miri, which interprets the code and finds undefined behaviour; needs
# `rustup component add miri --toolchain nightly`. Maps of files and Python's memory are beyond it.
miri:
    MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=2 \
        cargo +nightly miri test --manifest-path native/Cargo.toml --lib filters::bloom

lint:
    ruff check .
    ruff format --check .

# The conformance vectors of docs/FORMAT.md, written again after an intended change; prints what changes.
vectors:
    PYTHONPATH=tests python tests/law/test_conformance.py

# Known vulnerabilities of the crates and packages in use. Both ask databases on the internet, and fail
# where these cannot be reached, so that nothing passes unasked. `cargo install cargo-audit` brings the first.
audit:
    #!/usr/bin/env bash
    set -uo pipefail
    (cd native && cargo audit)
    crates=$?
    packages=$(mktemp)
    trap 'rm -f "$packages"' EXIT
    # This distribution itself is in no database.
    python -m pip freeze --exclude data-portrait --exclude-editable > "$packages"
    pip-audit --strict --no-deps --disable-pip --requirement "$packages" && exit $crates

# Mutation testing of the Python code: the modules that differ from main, or those named.
mutate *modules:
    python tests/mutate.py {{ modules }}

# The same for the kernel: what differs from main, or `just mutate-kernel --file src/text/spaces.rs`.
# `cargo install cargo-mutants` brings the tool.
mutate-kernel *arguments:
    #!/usr/bin/env bash
    set -euo pipefail
    arguments=({{ arguments }})
    if ((${#arguments[@]} == 0)); then
        mkdir -p native/target
        git diff --relative=native main -- native > native/target/mutate.diff
        arguments=(--in-diff target/mutate.diff)
    fi
    # A mutant is built once and run for seconds: what optimises across crates costs more than it saves.
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
    cd native && cargo mutants --output target/mutants "${arguments[@]}" -- --release

# Strict types everywhere, and the kernel's stub against the kernel as installed.
types:
    mypy
    cd native && stubtest portrait._native --allowlist stubtest-allowlist.txt --ignore-unused-allowlist

# Every number of the README and the docs, measured here and now.
[working-directory('benchmarks')]
bench:
    python build_kernel.py
    python build.py
    python size.py
    python scan.py
    python scan_rows.py
    python query.py
    python cold.py
    python open.py
    python interrupt.py
    python ribbon.py
    python fpr.py
    python forgery.py
    python second_reader.py
    python accuracy.py
    python plan.py
    python privacy.py
    python peers.py
    python pybloom.py
    python redisbloom.py
    python hub.py
    python service.py

# The pins of the image's Python packages, with their hashes: what the service needs, and what builds the wheel.
lock:
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --extra server --extra redis --output-file server/requirements.txt pyproject.toml
    sed -n 's/^requires = \[\(.*\)\]$/\1/p' pyproject.toml | tr ',' '\n' | tr -d '" ' \
        | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --output-file server/build-requirements.txt -
