# Every path of the daemon, asked with every method: 2.6, H21, H22, H25, H26, N8 and the web flags.
. "$(dirname "$0")/lib.sh"
need python3

sleep 1000 &
track $!
cat > "$WORK/c.yaml" <<CONF
targets:
  - {name: it, pid: $!}
  - {name: hidden, process_name: nobody, environment: "SECRET=hunter2"}
CONF
# ask PREFIX: the table, over a daemon whose paths begin with PREFIX.
ask() {
  python3 - "$PORT" "$1" <<'PYTHON' || fail "answers of paths that begin with '$1'"
import gzip, html, http.client, json, re, sys, time
port, prefix = int(sys.argv[1]), sys.argv[2]
READ = "GET, HEAD, OPTIONS"
# path, statuses of GET, content type, allowed methods
TABLE = [
    ("/metrics", [200], "text/plain; version=0.0.4; charset=utf-8", READ),
    ("/probe?target=it", [200], "text/plain", READ),
    ("/probe", [400], "text/plain", READ),
    ("/probe?target=it&target=it", [400], "text/plain", READ),
    ("/probe?target=nobody", [404], "text/plain", READ),
    ("/metrics?collect[]=core&exclude[]=io", [400], "text/plain", READ),
    ("/metrics?collect%5B%5D=cor", [400], "text/plain", READ),
    ("/metrics?names=x", [400], "text/plain", READ),
    ("/sd", [200], "application/json", READ),
    ("/health", [200, 503], "application/json", READ),
    ("/-/healthy", [200], "text/plain", READ),
    ("/-/ready", [200], "text/plain", READ),
    ("/api/v1/targets", [200], "application/json", READ),
    ("/api/v1/config", [200], "application/json", READ),
    ("/", [200], "text/html; charset=utf-8", READ),
    ("/?span=60", [200], "text/html; charset=utf-8", READ),
    ("/?span=0", [400], "text/plain", READ),
    ("/api/v1/history", [200], "application/json", READ),
    ("/api/v1/history?span=900&since=0&target=it", [200], "application/json", READ),
    ("/api/v1/history?since=x", [400], "text/plain", READ),
    ("/assets/page.css", [200], "text/css; charset=utf-8", READ),
    ("/assets/page.js", [200], "text/javascript; charset=utf-8", READ),
    ("/-/reload", [405], "text/plain", "POST, PUT, OPTIONS"),
    ("/nothing", [404], "text/plain", None),
    ("/metrics/", [404], "text/plain", None),
    ("/api/v1/", [404], "text/plain", None),
]
made = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

def ask(method, path, **fields):
    made.request(method, prefix + path, headers={k.replace("_", "-"): v for k, v in fields.items()})
    answer = made.getresponse()
    return answer, answer.read()

def check(what, holds):
    if not holds:
        sys.exit(f"FAILED: {what}")

for path, statuses, kind, allow in TABLE:
    answer, body = ask("GET", path)
    check(f"GET {path}: {answer.status} {body[:200]}", answer.status in statuses)
    check(f"GET {path}: {answer.headers}", answer.headers["Content-Type"].startswith(kind))
    check(f"GET {path}: no Date or length", answer.headers["Date"] and answer.headers["Content-Length"])
    check(f"GET {path}: may be sniffed", answer.headers["X-Content-Type-Options"] == "nosniff")
    if kind == "application/json":
        json.loads(body)
    head, nothing = ask("HEAD", path)
    check(f"HEAD {path}: {head.status}, {len(nothing)} bytes", head.status == answer.status and not nothing)
    # What is counted between the two may change the length of a page.
    names = lambda message: sorted(name for name in message.headers.keys())
    check(f"HEAD {path}: {head.headers}", names(head) == names(answer))
    options, nothing = ask("OPTIONS", path)
    if allow:
        check(f"OPTIONS {path}", (options.status, options.headers["Allow"], nothing) == (204, allow, b""))
    else:
        check(f"OPTIONS {path}", options.status == 404)
    for method in ["POST", "PUT", "DELETE", "PATCH"]:
        answer, body = ask(method, path)
        if allow is None:
            check(f"{method} {path}: {answer.status}", answer.status == 404)
        elif method in allow:
            check(f"{method} {path}: {answer.status}", answer.status == 403)
            check(f"{method} {path}: {body}", body == b"Lifecycle API is not enabled.\n")
        else:
            check(f"{method} {path}: {answer.status}", answer.status == 405)
            check(f"{method} {path}: {answer.headers}", answer.headers["Allow"] == allow)

# The page of metrics and its fields.
answer, body = ask("GET", "/metrics")
check("Vary", answer.headers["Vary"] == "Accept, Accept-Encoding")
check("Cache-Control", answer.headers["Cache-Control"] == "no-store")
check("start", abs(int(answer.headers["Process-Start-Time-Unix"]) - time.time()) < 600)

# Filters.
def families(path):
    answer, body = ask("GET", path)
    check(f"{path}: {answer.status}", answer.status == 200)
    return [line.split()[2] for line in body.decode().splitlines() if line.startswith("# TYPE")]
one = families("/metrics?name%5B%5D=process_cpu_seconds_total&name[]=procvitals_target_up&x=y")
check(f"name[]: {one}", one == ["process_cpu_seconds_total", "procvitals_target_up"])
core = families("/metrics?collect[]=core&collect[]=io")
check(f"collect[]: {core}", "process_threads" in core and "process_io_read_bytes_total" in core)
check(f"collect[]: {core}", not [f for f in core if f.startswith("procvitals_") or "memory_peak" in f])
rest = families("/metrics?exclude[]=core")
check(f"exclude[]: {rest}", "process_threads" not in rest and "process_io_read_bytes_total" in rest)
probe = families("/probe?target=it&name[]=process_threads")
check(f"name[] of a probe: {probe}", probe == ["process_threads"])
check("empty name[]", families("/metrics?name[]=") == [])

# The page for people.
page, text = ask("GET", "/")
check("CSP", "default-src 'none'" in page.headers["Content-Security-Policy"])
check("referrer", page.headers["Referrer-Policy"] == "no-referrer")
check("the page is kept", page.headers["Cache-Control"] == "no-store" and not page.headers["ETag"])
for path in [prefix + "/assets/page.css", prefix + "/assets/page.js"]:
    check(f"{path} is not on the page", f'"{path}"'.encode() in text)
    path = path[len(prefix):]
    file, whole = ask("GET", path)
    tag = file.headers["ETag"]
    check(f"strong tag: {tag}", tag.startswith('"'))
    for method in ["GET", "HEAD"]:
        for match in [tag, f'"x", W/{tag}', "*"]:
            same, nothing = ask(method, path, If_None_Match=match)
            check(f"{match}: {same.status}", (same.status, nothing) == (304, b""))
            check(f"304: {same.headers}", same.headers["ETag"] == tag and not same.headers["Content-Length"])
    other, again = ask("GET", path, If_None_Match='"x"', If_Modified_Since="Fri, 31 Dec 2100 00:00:00 GMT")
    check("another tag", other.status == 200 and again == whole)
    packed, small = ask("GET", path, Accept_Encoding="gzip")
    check(f"{path} compressed", packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(small) == whole)
    check(f"{path}: tags of both", packed.headers["ETag"] != tag)
# What new targets are made from leads nowhere.
text = re.sub(b"<template.*</template>", b"", text, flags=re.DOTALL)
for link in re.findall(rb'href="([^"]*)"', text):
    link = html.unescape(link.decode())
    if link.startswith(("data:", "?")):
        continue
    made.request("GET", link)
    answer = made.getresponse()
    answer.read()
    check(f"link {link}: {answer.status}", answer.status in (200, 503))

# Settings without secrets, and what leads to the targets.
answer, body = ask("GET", "/api/v1/config")
check("a secret is shown", b"hunter2" not in body and b"SECRET=<secret>" in body)
settings = json.loads(body)
check("no web configuration", settings["web_config"] is None)
for query in ["", "?target=nothing"]:
    text = ask("GET", "/probe" + query)[1].decode()
    check(f"path of /sd in: {text}", f" {prefix}/sd lists" in text)
check("settings", settings["current"] and settings["web"]["route_prefix"] == prefix)
entry = json.loads(ask("GET", "/sd")[1])[0]
check(f"/sd: {entry}", entry["labels"]["__metrics_path__"] == prefix + "/probe")

# Whoever asks for the list is in each entry, so a long name would make it large; and each has its own
# list, also when many ask beside a scrape.
answer, body = ask("GET", "/sd", Host="a" * 300)
check(f"/sd for a long name: {answer.status} {body[:200]}", answer.status == 400)
def asked(path, host):
    made = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    made.request("GET", prefix + path, headers={"Host": host})
    return made
hosts = [f"{number}{'a' * 200}:1" for number in range(30)]
lists = [asked("/sd", host) for host in hosts]
check("a scrape beside lists", asked("/metrics", "a").getresponse().status == 200)
for host, one in zip(hosts, lists):
    body = json.loads(one.getresponse().read())
    check(f"/sd for {host}: {body}", [entry["targets"] for entry in body] == [[host]] * 2)
PYTHON
}

start --config.file="$WORK/c.yaml"
ask ""
stop "$DAEMON"
launch --config.file="$WORK/c.yaml" --web.route-prefix=/p/q
poll 30 answers /p/q/-/ready || fail "not ready below a prefix"
ask /p/q
code() { curl -s -m 10 -o "$WORK/out" -w '%{http_code}' "$@"; }
[ "$(code "$URL/metrics")" = 404 ] || fail "/metrics outside the prefix is not 404"
[ "$(code "$URL/")" = 404 ] || fail "/ outside the prefix is not 404"
[ "$(code "$URL/p/q")" = 200 ] || fail "the prefix alone is not the page"
stop "$DAEMON"

# Hosts, and links as others see them.
start --config.file="$WORK/c.yaml" --web.allowed-hosts=127.0.0.1 --web.allowed-hosts=example.org \
  --web.external-url=https://example.org/x --web.route-prefix=/
[ "$(code "$URL/metrics")" = 200 ] || fail "an allowed address is $(code "$URL/metrics")"
[ "$(code -H 'Host: EXAMPLE.org:1' "$URL/")" = 200 ] || fail "an allowed name is refused"
grep -q 'href="/x/metrics"' "$WORK/out" || fail "links do not begin with the external path"
for path in / /metrics /-/healthy /nothing; do
  [ "$(code -H 'Host: evil.example' "$URL$path")" = 421 ] || fail "$path for another host is not 421"
done
[ "$(code --http1.0 -H 'Host:' "$URL/-/healthy")" = 200 ] || fail "HTTP/1.0 without Host is refused"
[ "$(code "$URL/sd")" = 200 ] || fail "/sd"
grep -q '"targets":\["example.org:443"\].*"__metrics_path__":"/x/probe".*"__scheme__":"https"' \
  "$WORK/out" || fail "/sd does not name the external URL: $(cat "$WORK/out")"
