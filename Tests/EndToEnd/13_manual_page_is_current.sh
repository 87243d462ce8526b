# packaging/procvitals.1 is what the binary's own help says.
. "$(dirname "$0")/lib.sh"
need python3

python3 "$ROOT/scripts/manual" "$PROCVITALS" > "$WORK/manual" || fail "scripts/manual does not work"
diff -u "$ROOT/packaging/procvitals.1" "$WORK/manual" || fail "it is out of date; make golden writes it anew"
