# `check` and `serve` take and refuse the web configurations that Prometheus' own promtool takes and
# refuses, but for three that nobody can mean; both say where and why.
. "$(dirname "$0")/lib.sh"
need promtool openssl

cd "$WORK" || fail "no directory"
for name in server other; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$name" \
    -keyout "$name.key" -out "$name.crt" 2> openssl.err || fail "openssl: $(cat openssl.err)"
done
inline() { sed 's/^/    /' "$1"; }
hash='$2y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu'

# ours STATUS PHRASE: what our check says of web.yml.
ours() {
  local status
  "$PROCVITALS" check --web.config.file=web.yml > out 2>&1
  status=$?
  [ $status = "$1" ] || fail "$case: check ended with $status instead of $1: $(cat out)"
  grep -qF -- "$2" out || fail "$case: check does not say '$2' but: $(cat out)"
}
# verdict ok|PHRASE YAML...: ours and promtool's are the same.
verdict() {
  local expected=$1
  shift
  case="$*"
  case=${case:0:120}
  printf '%s\n' "$@" > web.yml
  if [ "$expected" = ok ]; then ours 0 "valid"; else ours 2 "$expected"; fi
  promtool check web-config web.yml > theirs 2>&1
  local status=$?
  # An older promtool does not know newer keys.
  if grep -q 'field [a-z_]* not found' theirs && ! grep -q 'not found' out; then
    echo "this promtool does not know: $case"
    return
  fi
  [ $((status != 0)) = $([ "$expected" = ok ] && echo 0 || echo 1) ] ||
    fail "$case: promtool says $(cat theirs), procvitals: $(cat out)"
}
tls() { verdict "$1" "tls_server_config:" "  cert_file: server.crt" "  key_file: server.key" "${@:2}"; }

verdict ok "# nothing"
tls ok
tls ok "  client_auth_type: RequireAndVerifyClientCert" "  client_ca_file: other.crt"
tls ok "  client_auth_type: RequireAnyClientCert"
tls ok "  client_auth_type: RequireAndVerifyClientCert"
tls ok "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]" "  curve_preferences: [X25519]"
tls ok "  min_version: TLS12" "  max_version: TLS12" "  prefer_server_cipher_suites: false"
tls ok "  client_auth_type: RequireAndVerifyClientCert" "  client_allowed_sans: [one]"
tls ok "http_server_config: {http2: false}"
tls ok "basic_auth_users: {carol: $hash}"
verdict ok "tls_server_config:" "  cert: |" "$(inline server.crt)" "  key: |" "$(inline server.key)"
verdict ok "basic_auth_users:" "  carol: $hash" "---" "nonsense: true"
verdict ok "http_server_config:" "  headers:" "    X-Frame-Options: deny" "    X-XSS-Protection: 1"
verdict ok "rate_limit: {interval: 1s, burst: 0}"

tls "no such file or directory" "  client_ca_file: somefile"
tls "Client Auth Policy" "  client_ca_file: other.crt"
tls "invalid ClientAuth: x" "  client_auth_type: x"
tls "unknown cipher: TLS_NULL" "  cipher_suites: [TLS_NULL]"
tls "unknown curve: CurveP257" "  curve_preferences: [CurveP257]"
tls "unknown TLS version: TLS111" "  min_version: TLS111"
tls "hashedSecret too short to be a bcrypted password" "basic_auth_users: {john: doe}"
verdict "failed to read cert_file (somefile): no such file" "tls_server_config:" \
  "  cert_file: somefile" "  key_file: server.key"
verdict "missing one of cert or cert_file" "tls_server_config:" "  key_file: server.key"
verdict "missing one of key or key_file" "tls_server_config:" "  cert_file: server.crt"
verdict "web.yml:3:13: tls: private key does not match public key" "tls_server_config:" \
  "  cert_file: server.crt" "  key_file: other.key"
verdict "web.yml:2:3: field cert_filse not found" "tls_server_config:" "  cert_filse: server.crt"
verdict 'HTTP header "Content-Type" can not be configured' "http_server_config:" \
  "  headers: {Content-Type: foo}"
verdict 'Expected one of: ["deny" "sameorigin"], but got: "foo"' "http_server_config:" \
  "  headers: {X-Frame-Options: foo}"
verdict "cannot unmarshal" "junk" "more junk"
verdict "cannot unmarshal" "http_server_config: {http2: maybe}"
verdict "cost 99 is outside allowed inclusive range 4..31" "basic_auth_users: {a: ${hash/10/99}}"
verdict 'key "a" already set in map' "basic_auth_users:" "  a: $hash" "  a: $hash"

# What promtool takes, and nobody can mean.
for text in "rate_limit: {interval: 1, burst: 1}" "rate_limit: {interval: -1s, burst: 1}"; do
  case=$text
  echo "$text" > web.yml
  ours 2 "web.yml:1:24: interval: "
done
printf 'tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  min_version: TLS13\n  max_version: TLS12\n' > web.yml
case="versions"
ours 2 "web.yml:4:16: min_version TLS13 is above max_version TLS12"

# The daemon does not start with what check refuses.
"$PROCVITALS" --web.listen-address="127.0.0.1:$(free_port)" --web.config.file=web.yml > out 2>&1
expect "exit status with a bad web configuration" $? == 2
grep -qF "web.yml:4:16: " out || fail "serve does not say where: $(cat out)"
"$PROCVITALS" --web.config.file=missing.yml > out 2>&1
expect "exit status without the file" $? == 2
grep -q "missing.yml.*no such file" out || fail "serve does not say what is missing: $(cat out)"
