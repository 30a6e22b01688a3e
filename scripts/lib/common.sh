# shellcheck shell=bash
# Shared by the scripts in scripts/. Sourced, never run.
# Sets `root`, the folder of the repository, `run_dir`, the folder of the demo (.run/, or what SYCEE_RUN_DIR
# says, seen from `root`), and `logs`, the folder of the full logs.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
run_dir="$(cd "$root" && realpath -m "${SYCEE_RUN_DIR:-.run}")"
logs="$run_dir/log"

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() {
  warn "error: $*"
  exit 1
}

# logged LABEL LOG COMMAND...: runs a long command with its whole output in $logs/LOG. A terminal sees
# one line that follows the command's last line; elsewhere a line each 20 seconds shows it is alive.
logged() {
  local label="$1" log="$logs/$2" started=$SECONDS code=0 watcher
  shift 2
  mkdir -p "$logs"
  : >"$log"
  if [[ -t 1 ]]; then
    follow_on_terminal "$label" "$log" &
  else
    say "$label …"
    follow_in_lines "$label" "$log" &
  fi
  watcher=$!
  "$@" >"$log" 2>&1 </dev/null || code=$?
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  [[ -t 1 ]] && printf '\r\033[K'
  if [[ $code -ne 0 ]]; then
    warn "$label failed (exit code $code). The end of $log:"
    tail -n 40 "$log" >&2
    return "$code"
  fi
  say "$label: done in $((SECONDS - started)) s"
}

last_line() { tail -c 4000 "$1" | tr '\r' '\n' | grep -v '^[[:space:]]*$' | tail -n 1 || true; }

# Both end within a second of the script, also when that is killed.
follow_on_terminal() {
  local line width
  while kill -0 $$ 2>/dev/null; do
    width=$(($(tput cols 2>/dev/null || echo 80) - 1))
    line="$(progress "$1" "$2")"
    printf '\r\033[K%s' "${line:0:$width}"
    sleep 0.3 >/dev/null 2>&1
  done
}

follow_in_lines() {
  local waited=0
  while sleep 1 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
    ((++waited % 20)) || say "  $(progress "$1" "$2" | cut -c 1-120)"
  done
}

progress() { printf '%s (%s s) %s' "$1" "$((SECONDS - started))" "$(last_line "$2")"; }
