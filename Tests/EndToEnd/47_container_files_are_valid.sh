# The container file has no flaw that hadolint knows; the manifests fit the schemas of Kubernetes and
# keep what their comments promise; and the configurations in them are taken.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/container.sh"
need readelf

hadolint "$CONTAINERFILE" || fail "see above"
manifests valid "$MANIFESTS" "$VERSION" || fail "see above"
for name in sidecar daemonset; do
  manifests config "$MANIFESTS/$name.yaml" > "$WORK/$name.yaml"
  "$PROCVITALS" check --config.file="$WORK/$name.yaml" > "$WORK/out" 2>&1 ||
    fail "$name.yaml: $(cat "$WORK/out")"
done

# What makes sure of the static binary tells it from others.
"$ROOT/scripts/walls" --static "$BASH" > "$WORK/out" && fail "bash is taken for static"
grep -q NEEDED "$WORK/out" || fail "bash is said to have: $(cat "$WORK/out")"
