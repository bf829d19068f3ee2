# What people type here; CI runs the same.

# everything that CI checks
check: format lint deny test cli-alone

format:
    cargo fmt --check

lint:
    cargo clippy --all-targets --locked -- -D warnings

deny:
    cargo deny --locked check bans licenses sources

test:
    cargo test --locked

# the command line without the daemon's dependencies
cli-alone:
    cargo build --locked --no-default-features --features cli --bin gaseractl

demo:
    cargo run --release --locked -- --demo

# figures of the stream, side by side with a plain one; and how soon channels are measured again, in virtual time
bench:
    cargo bench --locked --bench stream
    cargo bench --locked --bench revisit

# what keeping results costs in time and in bytes written; BENCH_DIRECTORY says on which disk
bench-append:
    cargo bench --locked --bench append

# opening a store of ten million records, and listing its runs; it takes about 5 GB meanwhile
bench-open:
    cargo bench --locked --bench open

# how fast a million records are exported, or ten with --full; beside DuckDB if GASERA_READERS says where it is
bench-export *ARGS:
    cargo bench --locked --bench export -- {{ARGS}}

# whole processes: gaseractl beside curl and systemctl
bench-cli:
    cargo build --release --locked
    benches/cli target/release

# ten thousand rude worlds and ten thousand whole lives in virtual time, two hundred kills at random instants, and two days in one process at a thousand times the speed of the world
long:
    RUDE_WORLDS=10000 cargo test --locked no_rude_world -- --nocapture
    LIVES=10000 cargo test --locked lives:: -- --nocapture
    KILLS=200 cargo test --locked kill:: -- --nocapture
    HOURS=48 cargo test --locked endurance:: -- --nocapture

# new tests must hold fifty times
fifty TEST:
    cargo test {{TEST}} 2>&1 | grep -q 'test result: ok. [1-9]' || { echo "no test is called {{TEST}}, or it fails"; exit 1; }
    for i in $(seq 50); do cargo test -q {{TEST}} || exit 1; done

# plants one bug after the other, all or those named, and sees whether a test notices
mutants *NAMES:
    tests/mutants/run {{NAMES}}

# how the code is built: sizes, repeated type names, circles; of this checkout, or of commits side by side
house *COMMITS:
    tests/house/measure.py {{COMMITS}}
