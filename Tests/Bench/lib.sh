# What the benches share: each sets $work, where logs of what it starts are.

# wait_for WHAT COMMAND...: polls until the command succeeds, at most 60 s.
wait_for() {
  local what=$1
  shift
  for _ in $(seq 1200); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.05
  done
  echo "bench: $what did not get ready" >&2
  cat "$work"/*.log >&2
  exit 1
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
