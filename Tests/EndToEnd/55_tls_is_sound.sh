# TLS without settings but a certificate: testssl.sh finds the right protocols.
# TLS_FULL=1 (make tls) has it look for everything. Its grade, which it gives since 3.2 (Debian 13), is
# A+ once the configuration has Strict-Transport-Security. TESTSSL=FILE takes another testssl; beside
# the usr/ of an unpacked package there is its etc/.
. "$(dirname "$0")/lib.sh"
testssl=${TESTSSL:-testssl}
need "$testssl" openssl
if [ -d "${testssl%/usr/bin/testssl}/etc/testssl" ]; then
  export TESTSSL_INSTALL_DIR=${testssl%/usr/bin/testssl}/etc/testssl
fi

bash "$HERE/certificates.sh" "$WORK" || fail "no certificates"
printf 'tls_server_config: {cert_file: server.pem, key_file: server.key}\n' > "$WORK/web.yml"
checks=(--protocols)
if [ -n "${TLS_FULL:-}" ]; then
  checks=()
  printf 'http_server_config: {headers: {Strict-Transport-Security: max-age=31536000}}\n' \
    >> "$WORK/web.yml"
fi
launch --web.config.file="$WORK/web.yml"
poll 30 curl -sf -o /dev/null --cacert "$WORK/root.pem" "https://127.0.0.1:$PORT/-/ready" ||
  fail "not ready"

timeout 590 "$testssl" --quiet --color 0 --warnings off --nodns none \
  --add-ca "$WORK/root.pem" --jsonfile "$WORK/findings.json" "${checks[@]}" \
  "127.0.0.1:$PORT" > "$WORK/report" 2>&1
[ -s "$WORK/findings.json" ] || fail "testssl has no findings: $(tail -n 30 "$WORK/report")"
grades=$(grep -c 'overall_grade' "$(command -v "$testssl")")
python3 - "$WORK/findings.json" "$grades" <<'PYTHON' || fail "see above; $(cat "$WORK/report")"
import json, os, sys
found = {f["id"]: f for f in json.load(open(sys.argv[1]))}
full, grades = "TLS_FULL" in os.environ, sys.argv[2] != "0"
bad = []
def want(name, text):
    if text not in found.get(name, {"finding": "missing"})["finding"]:
        bad.append((name, found.get(name)))
for old in ("SSLv2", "SSLv3", "TLS1", "TLS1_1"): want(old, "not offered")
for new in ("TLS1_2", "TLS1_3"): want(new, "offered")
if full: want("cipher_order", "server")
ciphers = " ".join(f["finding"] for name, f in found.items() if name.startswith("cipher"))
if "CBC" in ciphers or "-SHA " in ciphers: bad.append(("CBC", ciphers))
# What is so because the certificates are two days old at most and their authority is a file.
allowed = {
    "cert_trust", "cert_revocation", "cert_crlDistributionPoints", "cert_ocspURL",
    "cert_expirationStatus", "cert_notAfter", "cert_validityPeriod", "cert_extlifeSpan",
    "intermediate_cert_notAfter", "intermediate_cert_expiration", "OCSP_stapling",
    "DNS_CAArecord", "certificate_transparency", "security_headers", "scanProblem", "scanTime",
    "cert_caIssuers", "cert_commonName", "engine_problem",
}
for name, f in found.items():
    if f["severity"] in ("LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL") and name.split(" ")[0] not in allowed:
        bad.append((name, f))
if full:
    want("cert_chain_of_trust", "passed")
    want("HSTS_time", "365 days")
    for name in ("LUCKY13", "secure_client_renego", "CRIME_TLS"): want(name, "not vulnerable")
    if not grades:
        print("this testssl gives no grades; TESTSSL=FILE takes one of Debian 13")
    elif found.get("overall_grade", {}).get("finding") != "A+":
        bad.append(("grade", [f["finding"] for name, f in found.items() if "grade" in name]))
    else:
        print("grade A+")
for b in bad: print(*b)
sys.exit(bool(bad))
PYTHON
