# Sourced by the scripts that build much: what a developer's own builds want and a check does not. What cargo keeps to
# build faster the next time costs time now (most where code is optimised: it is cut into hundreds of units), and a
# failed test shows files and lines without a debugger's tables (in the debug run; the optimised one without).
export CARGO_INCREMENTAL=0
export CARGO_PROFILE_DEV_DEBUG=line-tables-only
export CARGO_PROFILE_RELEASE_DEBUG=0
