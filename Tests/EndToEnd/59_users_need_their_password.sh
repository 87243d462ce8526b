# With users configured nothing is answered without a password, whatever the path; a password that
# takes long to check holds up nobody else; passwords appear nowhere.
. "$(dirname "$0")/lib.sh"
need htpasswd

quick=$(htpasswd -nbB -C 5 quick "a:b c") || fail "htpasswd does not make hashes"
slow=$(htpasswd -nbB -C 15 slow Geheim)
printf 'basic_auth_users:\n  %s\n  %s\n' "${quick/:/: }" "${slow/:/: }" > "$WORK/web.yml"
launch --web.config.file="$WORK/web.yml" --web.enable-lifecycle --log.level=debug
code() { curl -s -m 60 -o "$WORK/answer" -D "$WORK/head" -w '%{http_code}' "$@"; }
ready() { [ "$(code -u "quick:a:b c" "$URL/-/ready")" = 200 ]; }
poll 30 ready || fail "not ready: $(cat "$LOG")"

for path in / /metrics /probe /sd /health /api/v1/targets /-/healthy /-/ready /nothing; do
  expect "GET $path without a password" "$(code "$URL$path")" == 401
  grep -q '^WWW-Authenticate: Basic realm="procvitals", charset="UTF-8"' "$WORK/head" ||
    fail "$path does not say how to authenticate: $(cat "$WORK/head")"
  expect "GET $path with a wrong one" "$(code -u quick:a "$URL$path")" == 401
done
for method in HEAD OPTIONS POST DELETE; do
  expect "$method /-/reload" "$(code -m 5 -X $method "$URL/-/reload")" == 401
done
expect "a body that is announced" \
  "$(code -X POST -H 'Expect: 100-continue' -d x "$URL/-/reload")" == 401
expect "GET / with the password" "$(code -u "quick:a:b c" "$URL/")" == 200
expect "GET /nothing with it" "$(code -u "quick:a:b c" "$URL/nothing")" == 404
expect "POST /-/reload with it" "$(code -X POST -u "quick:a:b c" "$URL/-/reload")" == 200
# Nobody is let in by what unknown users are compared with, whether that is remembered or not.
for _ in 1 2; do
  expect "an unknown user" "$(code -u nobody:fakepassword "$URL/")" == 401
done
# CVE-2022-46146.
expect "a user with a hash in its name" "$(code -u "${quick/:/}:fakepassword" "$URL/")" == 401
fake='$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi'
expect "a hash in a password" "$(code -u "quick:${fake}fakepassword" "$URL/")" == 401

# While one password is checked for seconds, others are answered.
curl -s -m 60 -o /dev/null -w '%{http_code}' -u slow:Geheim "$URL/-/healthy" > "$WORK/slow" &
checking=$!
answered=0
while [ ! -s "$WORK/slow" ] && ! gone $checking; do
  expect "another user meanwhile" "$(code -u "quick:a:b c" "$URL/-/healthy")" == 200
  expect "nobody meanwhile" "$(code "$URL/-/healthy")" == 401
  answered=$((answered + 1))
done
wait $checking
expect "the slow one" "$(cat "$WORK/slow")" == 200
expect "answers meanwhile" $answered ">=" 5
# Clients that give up leave nothing behind.
for n in 1 2 3 4 5 6 7 8; do
  curl -s -m 0.2 -o /dev/null -u "slow:guess$n" "$URL/" &
  track $!
done
expect "another user" "$(code -u "quick:a:b c" "$URL/-/healthy")" == 200
expect "the one who is known" "$(code -u slow:Geheim "$URL/-/healthy")" == 200

cp "$LOG" "$WORK/said"
for path in /metrics /api/v1/config; do
  code -u "quick:a:b c" "$URL$path" > /dev/null
  cat "$WORK/answer" >> "$WORK/said"
done
grep -q '"users":{"quick":"<secret>","slow":"<secret>"}' "$WORK/said" || fail "users are not told"
for secret in Geheim "a:b c" "$(printf 'quick:a:b c' | base64)" "${slow#*:}" "${quick#*:}"; do
  if grep -qF -- "$secret" "$WORK/said"; then fail "a password is shown: $secret"; fi
done
