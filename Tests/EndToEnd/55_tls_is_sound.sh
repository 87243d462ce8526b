# TLS without further settings: testssl.sh finds the right protocols.
# TLS_FULL=1 (make tls) has it look for everything and grade.
. "$(dirname "$0")/lib.sh"
need testssl openssl

mkdir "$WORK/tls"
bash "$HERE/certificates.sh" "$WORK/tls" || fail "no certificates"
echo_server "tls=$WORK/tls/server"

checks=(--protocols)
if [ -n "${TLS_FULL:-}" ]; then checks=(); fi
timeout 590 testssl --quiet --color 0 --warnings off --nodns none \
  --add-ca "$WORK/tls/root.pem" --jsonfile "$WORK/findings.json" "${checks[@]}" \
  "127.0.0.1:$ECHO_PORT" > "$WORK/report" 2>&1
[ -s "$WORK/findings.json" ] || fail "testssl has no findings: $(tail -n 30 "$WORK/report")"
python3 - "$WORK/findings.json" <<'PYTHON' || fail "see above; $(cat "$WORK/report")"
import json, os, sys
found = {f["id"]: f for f in json.load(open(sys.argv[1]))}
bad = []
def want(name, text):
    if text not in found.get(name, {"finding": "missing"})["finding"]:
        bad.append((name, found.get(name)))
for old in ("SSLv2", "SSLv3", "TLS1", "TLS1_1"): want(old, "not offered")
for new in ("TLS1_2", "TLS1_3"): want(new, "offered")
if os.environ.get("TLS_FULL"): want("cipher_order", "server")
ciphers = " ".join(f["finding"] for name, f in found.items() if name.startswith("cipher"))
if "CBC" in ciphers or "-SHA " in ciphers: bad.append(("CBC", ciphers))
allowed = {
    "cert_trust", "cert_chain_of_trust", "cert_revocation", "cert_crlDistributionPoints",
    "cert_ocspURL", "cert_expirationStatus", "cert_notAfter", "cert_validityPeriod",
    "cert_extlifeSpan", "OCSP_stapling", "DNS_CAArecord", "certificate_transparency", "HSTS",
    "security_headers", "overall_grade", "grade_cap_reason_1", "grade_cap_reason_2",
    "grade_cap_reason_3", "scanProblem", "scanTime", "cert_caIssuers", "cert_commonName",
}
for name, f in found.items():
    if f["severity"] in ("LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL") and name.split(" ")[0] not in allowed:
        bad.append((name, f))
if os.environ.get("TLS_FULL"):
    for name in ("overall_grade", "LUCKY13", "BREACH", "secure_client_renego", "fallback_SCSV", "CRIME_TLS"):
        print(name, found.get(name, {}).get("finding"))
for b in bad: print(*b)
sys.exit(bool(bad))
PYTHON
