# Some rows of docs/hardening.md are still what the experiment gives.
set -- ProtectProc=invisible PrivateUsers=yes procvitals.service
. "$(dirname "$0")/lib.sh"
. "$HERE/box.sh"
need python3 gcc
reason=$(box_possible) || skip "$reason"

"$HERE/hardening.sh" "$@" > "$WORK/rows" 2> "$LOG" || fail "$(cat "$WORK/rows")"
expect "rows" "$(grep -c '^| `' "$WORK/rows")" == $#
while read -r row; do
  grep -qxF -- "$row" "$ROOT/docs/hardening.md" || fail "docs/hardening.md lacks: $row"
done < "$WORK/rows"
