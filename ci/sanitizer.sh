# Sourced by ci/asan and ci/tsan: a nightly toolchain, the target, the tests that are run.
target=x86_64-unknown-linux-gnu

# 77 tells `.ci/run` that nothing was checked.
skip() {
    echo "SKIPPED: $1"
    exit 77
}

[ "$(uname -sm)" = "Linux x86_64" ] || skip "sanitizers are run on x86-64 Linux only"
cargo +nightly --version >/dev/null 2>&1 || skip "no nightly toolchain (rustup toolchain install nightly); sanitizers need one"

programs=()
for name in panics against_rayon no_deadlock stress task_matrix task_wakers scope_tasks local_set express \
    par_splitting par_collect par_sources par_drops par_sort; do
    [ -f "tests/$name.rs" ] && programs+=(--test "$name")
done
