# Fifty reloads over HTTP under the load of 20 clients: every answer comes, complete and on the same
# connection, no counter falls, and what is asked after a reload is answered by what was loaded.
. "$(dirname "$0")/lib.sh"
need python3

vitals
tell burn 0.2
start --target=spare=pid:$$
code() { curl -s -m 20 -o "$WORK/answer" -w '%{http_code}' "$@"; }
expect "POST without --web.enable-lifecycle" "$(code -X POST "$URL/-/reload")" == 403
[ "$(cat "$WORK/answer")" = "Lifecycle API is not enabled." ] || fail "$(cat "$WORK/answer")"
expect "GET without it" "$(code "$URL/-/reload")" == 405
stop "$DAEMON"

good() { printf 'targets:\n  - {name: app, pid: %s}\n  - {name: %s, pid: %s}\n' "$VITALS" "$1" $$; }
good first > "$WORK/first.yaml"
good second > "$WORK/second.yaml"
printf 'targets:\n  - {name: app, pid: many}\n  - {nam: x}\n' > "$WORK/bad.yaml"
cp "$WORK/first.yaml" "$WORK/c.yaml"
start --config.file="$WORK/c.yaml" --web.enable-lifecycle
expect "GET" "$(code -D "$WORK/head" "$URL/-/reload")" == 405
grep -qi '^Allow: POST, PUT' "$WORK/head" || fail "405 without Allow: $(cat "$WORK/head")"

python3 - "$PORT" "$WORK" <<'PYTHON' || fail "see above"
import http.client, os, re, shutil, sys, threading

port, work = int(sys.argv[1]), sys.argv[2]
CLIENTS, RELOADS = 20, 50
stop, failures, answered = threading.Event(), [], [0] * CLIENTS


def connection():
    made = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    made.connect()
    made.auto_open = 0  # a connection that is lost is not opened anew behind our back
    return made


def get(made, path, method="GET"):
    made.request(method, path)
    answer = made.getresponse()
    return answer.status, answer.read().decode()  # a body that is cut is IncompleteRead


def counters(page):
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.M))
    return {
        series: float(value)
        for series, value in re.findall(r"^(\S+?(?:\{.*\})?) (\S+)$", page, re.M)
        if kinds.get(series.split("{")[0]) == "counter" and 'target="app"' in series
    }


def client(number):
    try:
        made, last = connection(), {}
        while not stop.is_set():
            status, page = get(made, "/metrics" if number % 4 else "/probe?target=app")
            if status != 200:
                raise ValueError(f"{status}: {page[:200]}")
            answered[number] += number % 4 > 0
            now = counters(page)
            if number % 4 and not now:
                raise ValueError("a page without the target")
            fallen = [s for s, v in last.items() if s in now and now[s] < v]
            gone = [s for s in last if s not in now and "unreadable" not in s]
            if fallen or gone:
                raise ValueError(f"fallen {fallen[:3]}, gone {gone[:3]}")
            last = now
    except Exception as error:
        failures.append(f"client {number}: {error!r}")


clients = [threading.Thread(target=client, args=[n]) for n in range(CLIENTS)]
for thread in clients:
    thread.start()
made, pages, holds = connection(), 0, "first"
for round in range(RELOADS):
    name = ["second", "bad", "first", "bad"][round % 4]
    shutil.copy(f"{work}/{name}.yaml", f"{work}/next.yaml")
    os.rename(f"{work}/next.yaml", f"{work}/c.yaml")
    status, text = get(made, "/-/reload", ["POST", "PUT"][round % 2])
    if (status, "c.yaml:2:22:" in text) != ((500, True) if name == "bad" else (200, False)):
        failures.append(f"reload {round} of {name}: {status} {text}")
    holds = holds if name == "bad" else name
    status, page = get(made, "/metrics")
    pages += 1
    if set(re.findall(r'target_up\{target="(\w+)"', page)) != {"app", holds}:
        failures.append(f"after reload {round} the page is not that of {holds}")
    if f"last_reload_successful {int(name != 'bad')}\n" not in page:
        failures.append(f"after reload {round} of {name}: not told")
stop.set()
for thread in clients:
    thread.join()
_, page = get(made, "/metrics")
counted = int(re.search(r'procvitals_scrapes_total\{.*code="200"\} (\d+)', page)[1])
if counted != sum(answered) + pages:
    failures.append(f"{sum(answered) + pages} scrapes were answered, {counted} counted")
if min(answered[1:4]) < RELOADS / 10:
    failures.append(f"the clients hardly scraped meanwhile: {answered}")
print("\n".join(failures[:20]), file=sys.stderr)
sys.exit(bool(failures))
PYTHON
