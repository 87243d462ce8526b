# What the container file makes, and a container's surroundings; sourced after lib.sh.
CONTAINERFILE=$ROOT/packaging/Containerfile
MANIFESTS=$ROOT/packaging/kubernetes
VERSION=$("$PROCVITALS" --version | sed 's/.* //')
LINTERS=$ROOT/.build/linters/bin
[ -x "$LINTERS/hadolint" ] || skip "the linters are not installed; make deps-test does that"
hadolint() { "$LINTERS/hadolint" "$@"; }
manifests() { "$LINTERS/python3" "$HERE/manifests.py" "$@"; }

# image: makes $IMAGE from the lines of the container file, with the binary under test; sets
# IMAGE_USER (UID GID) and ENTRYPOINT.
image() {
  IMAGE=$WORK/image
  mkdir -p "$IMAGE"/{proc,sys}
  local instruction arguments from to library
  while read -r instruction arguments; do
    case $instruction in
      COPY)
        arguments=${arguments//'${VERSION}'/$VERSION}
        read -r from to <<< "${arguments//'${TARGETARCH}'/amd64}"
        case $from in
          "dist/procvitals-$VERSION-linux-amd64") from=$PROCVITALS ;;
          *) from=$ROOT/$from ;;
        esac
        install -D -m "$(stat -c %a "$from")" "$from" "$IMAGE$to" || fail "COPY $arguments"
        ;;
      USER) IMAGE_USER=${arguments/:/ } ;;
      ENTRYPOINT) ENTRYPOINT=$(python3 -c 'import json, sys; print(*json.loads(sys.argv[1]))' "$arguments") ;;
    esac
  done < "$CONTAINERFILE"
  # The static binary needs nothing else; the usual one is accompanied by its libraries.
  for library in $(ldd "$PROCVITALS" 2>/dev/null | grep -oE '/[^ ]+'); do
    install -D "$library" "$IMAGE$library"
  done
}

# pod: namespaces of its own with a loopback, and the image as a read-only tree with /proc and /sys.
pod() {
  unshare --fork --kill-child=KILL --pid --net --mount bash -c '
    set -e
    mount --bind "$0" "$0"
    mount -o remount,bind,ro "$0"
    mount -t proc proc "$0/proc"
    mount -t sysfs -o ro sysfs "$0/sys"
    ip link set lo up
    exec sleep 600' "$IMAGE" &
  track $!
  poll 10 pod_runs || fail "no namespaces"
}
finish() { if [ -n "${POD:-}" ]; then kill -s KILL "$POD"; fi; } # and with it all that is in it
pod_runs() { POD=$(pgrep -P "${STARTED[-1]}" -x sleep); }
in_pod() { nsenter --target "$POD" --pid --net --mount "$@"; }

# container UID GID [CAPABILITY]... -- [ARGUMENT]...: starts what the image starts, in the pod, and
# waits until it is ready; sets DAEMON. Whatever the image says is served: its default address.
container() {
  local rights=()
  until [ "$1" = -- ]; do rights+=("$1"); shift; done
  shift
  URL=http://127.0.0.1:9656
  nsenter --target "$POD" --pid --net --mount \
    setpriv --inh-caps=-all python3 "$HERE/container.py" "$IMAGE" "${rights[@]}" -- \
    $ENTRYPOINT "$@" > /dev/null 2> "$LOG" < /dev/null &
  local entering=$!
  track $entering
  DAEMON=$entering
  poll 30 ready_or_gone || fail "not ready after 30 s"
  answers /-/ready || fail "it ended: $(tail -n 3 "$LOG")"
  DAEMON=$(pgrep -P $entering)
}

# The daemon is asked from inside of the pod.
curl() { in_pod curl "$@"; }
