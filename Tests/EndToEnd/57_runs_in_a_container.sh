# The image of the container file runs with nothing but what is in it, and as the manifests start it:
# in a pod, with the application's user it reads all, with its own one /health says what is denied;
# capabilities help root only.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/container.sh"
need_root
need nsenter unshare setpriv pgrep ip curl ldd
unshare --pid --net --mount --fork true 2> /dev/null || skip "root cannot make namespaces here"

# mapped TEXT: /etc/procvitals as the kubelet mounts a ConfigMap, and changes it: a link moves.
mapped() {
  local dir=$IMAGE/etc/procvitals data
  data=$(mktemp -d "$dir/..XXXXXX")
  chmod 755 "$data"
  cat > "$data/procvitals.yaml"
  ln -sfn "$(basename "$data")" "$dir/..new"
  mv -T "$dir/..new" "$dir/..data"
  ln -sfn ..data/procvitals.yaml "$dir/procvitals.yaml"
}
# health EXPRESSION: a value of /health's answer, in Python.
health() {
  curl -sS -m 10 "$URL/health" | python3 -c "import json, sys; h = json.load(sys.stdin); print($1)"
}
denied() { health '*[d["source"] for d in h["rights"]["denied"]] or ["nothing"]'; }
# families REGEX: how many families of the application match.
families() { grep -cE "^($1)[a-z_]*\{.*target=\"app\"" "$WORK/page"; }

image
pod
container $IMAGE_USER --
scrape
expect "target_up of itself" "$(value procvitals_target_up target=procvitals)" == 1
expect "version" "$(value procvitals_build_info version="$VERSION")" == 1
for line in 'CapEff:	0*$' 'Uid:	65534	65534' 'Gid:	65534	65534'; do
  grep -q "^$line" "/proc/$DAEMON/status" || fail "no line $line in: $(cat "/proc/$DAEMON/status")"
done
stop "$DAEMON" || fail "it does not end"

read -ra same <<< "$(manifests rights "$MANIFESTS/sidecar.yaml")"
[ ${#same[@]} = 2 ] || fail "the sidecar has capabilities: ${same[*]}"
cp "$(command -v sleep)" "$WORK/app"
in_pod setpriv --reuid="${same[0]}" --regid="${same[1]}" --clear-groups --bounding-set=-all \
  --inh-caps=-all "$WORK/app" 600 &
track $!
manifests config "$MANIFESTS/sidecar.yaml" | mapped

container "${same[@]}" --
scrape
expect "target_up" "$(value procvitals_target_up target=app)" == 1
expect "what is denied to the application's user" "$(denied)" == nothing
expect "I/O families" "$(families process_io_)" ">=" 7
# The kubelet has changed the ConfigMap.
{ manifests config "$MANIFESTS/sidecar.yaml"; echo '  - {name: second, process_name: nothing}'; } | mapped
kill -s HUP "$DAEMON"
second() { scrape && [ "$(value procvitals_target_up target=second)" = 0 ]; }
poll 20 second || fail "the changed ConfigMap is not read: $(cat "$LOG")"
stop "$DAEMON"
manifests config "$MANIFESTS/sidecar.yaml" | mapped

container $IMAGE_USER --
scrape
expect "target_up" "$(value procvitals_target_up target=app)" == 1
expect "CPU" "$(value process_cpu_seconds_total target=app)" ">=" 0
expect "what is denied to another user" "$(denied)" == io
expect "I/O families" "$(families process_io_)" == 0
expect "status" "$(health 'h["status"]')" == degraded
expect "families that it names" \
  "$(health '"process_io_read_bytes_total" in h["rights"]["denied"][0]["families"]')" == True
stop "$DAEMON"

read -ra rights <<< "$(manifests rights "$MANIFESTS/daemonset.yaml" "$MANIFESTS/daemonset-capabilities.yaml")"
[ "${rights[*]:2}" = "SYS_PTRACE DAC_READ_SEARCH" ] || fail "the patch gives ${rights[*]}"
container "${rights[@]}" --
scrape
expect "what is denied with the patch" "$(denied)" == nothing
expect "I/O families" "$(families process_io_)" ">=" 7
stop "$DAEMON"

container $IMAGE_USER "${rights[@]:2}" --
expect "what is denied to a user with capabilities" "$(denied)" == io
