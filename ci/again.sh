# Sourced by the scripts that run tests. Tests of time share the machine with whatever else runs on it, so one that
# fails is run again: twice alone, and once with its whole program. What fails again fails the check; what passes all
# three is listed at the end: a name that is listed often is no accident. A program that aborts (a hang past its
# deadline, a sanitizer's find), ends otherwise or does not build, and an example in the docs, get no second chance.

# `tests cargo [+TOOLCHAIN] test …`: runs the tests, then those that have failed again.
tests() {
    local log list kind name status=0
    local -a target again=()
    log="$(mktemp)"
    "$@" --no-fail-fast 2>&1 | tee "$log" || status=$?
    # `KIND NAME` for each failed test, where KIND is `unittests` or the program's source. Each program says how many of
    # its tests have failed: if that is not what we count, a line was mixed with other output.
    list="$(awk '
        / Running unittests / { kind = "unittests" }
        / Running tests\// { kind = $2 }
        / Doc-tests / { kind = "docs" }
        /^test .* \.\.\. FAILED/ { print kind, $2; seen++ }
        /^error: (doc)?test failed, to rerun pass/ { programs++ }
        /^test result: FAILED/ { results++; for (i = 2; i <= NF; i++) if ($i ~ /^failed/) said += $(i - 1) }
        /process didn.t exit successfully/ && !/exit status: 101/ { print "aborted", kind }
        /could not compile/ { print "unbuilt", "code" }
        END {
            if (programs != results) print "unclear", "programs"
            if (seen != said) print "unclear", "tests"
        }
    ' "$log")"
    # 101 is cargo's word for failed tests; anything else is not about them.
    if [ "$status" -ne 101 ] || [ -z "$list" ]; then
        rm -f "$log"
        return "$status"
    fi
    while read -r kind name; do
        case "$kind" in
            unittests) target=(--lib) ;;
            tests/*) target=(--test "$(basename "$kind" .rs)") ;;
            *)
                echo "FAILED, no second chance: $kind $name"
                return 1
                ;;
        esac
        for _ in 1 2; do
            if ! "$@" "${target[@]}" -- --exact "$name" </dev/null 2>&1 | tee "$log" ||
                ! grep -q '^test result: ok\. 1 passed' "$log"; then
                echo "FAILED AGAIN, alone: $kind $name"
                return 1
            fi
        done
        if ! "$@" "${target[@]}" </dev/null; then
            echo "FAILED AGAIN, with its program: $kind $name"
            return 1
        fi
        again+=("$kind $name;")
    done <<<"$list"
    rm -f "$log"
    echo "FAILED ONCE, passed three times since: ${again[*]}"
}
