# A configuration file that is gone at a reload is an error, not an empty configuration.
. "$(dirname "$0")/lib.sh"

printf 'targets:\n  - {name: app, pid: %s}\n' $$ > "$WORK/c.yaml"
start --config.file="$WORK/c.yaml"
rm "$WORK/c.yaml"
kill -s HUP "$DAEMON"
told() { scrape; [ "$(value procvitals_config_last_reload_successful)" = 0 ]; }
poll 10 told || fail "a vanished configuration is not told"
expect "procvitals_target_up" "$(value procvitals_target_up target=app)" == 1
grep -q 'c.yaml: the file does not exist' "$LOG" || fail "the log does not name the file"
