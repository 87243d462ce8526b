# Nothing is read for the page while nobody looks; while many do, targets are read once a second, and
# scrapes go on.
. "$(dirname "$0")/lib.sh"
need python3

# A copy of a process, of which the kernel does not tell, nor of others.
sleep 1000 &
track $!
mkdir -p "$WORK/proc/$!/fd"
cp /proc/stat "$WORK/proc"
for file in stat status statm limits io comm cmdline cgroup; do
  cat "/proc/$!/$file" > "$WORK/proc/$!/$file"
done
start --path.procfs="$WORK/proc" --target=it=pid:$!
python3 - "$URL" "$DAEMON" <<'PYTHON' || fail "see above"
import http.client, json, os, sys, threading, time
url, daemon = sys.argv[1], sys.argv[2]
host = url.removeprefix("http://")

def get(path):
    made = http.client.HTTPConnection(host, timeout=30)
    made.request("GET", path)
    answer = made.getresponse()
    body = answer.read()
    made.close()
    return answer.status, body

def history(query=""):
    status, body = get("/api/v1/history" + query)
    assert status == 200, (status, body)
    return json.loads(body)

def turns():
    """How often the threads went to sleep, which each work they do ends with."""
    total = 0
    for thread in os.listdir(f"/proc/{daemon}/task"):
        with open(f"/proc/{daemon}/task/{thread}/status") as file:
            total += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
    return total

def check(what, holds):
    if not holds:
        sys.exit(f"FAILED: {what}")

# A first look asks for one collection.
first = history()
check(f"times of a first look: {first['times']}", len(first["times"]) == 1)
check("its figures", first["targets"][0]["values"]["threads"] == [1])

# Many look for five seconds.
end, answers, scrapes = time.monotonic() + 5, [], []
def watch():
    while time.monotonic() < end:
        answers.append(get("/" if len(answers) % 2 else "/api/v1/history")[0])
def scrape():
    while time.monotonic() < end:
        scrapes.append(get("/metrics")[0])
        time.sleep(0.1)
began = time.time()
threads = [threading.Thread(target=watch) for _ in range(20)] + [threading.Thread(target=scrape)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
took = time.time() - began
times = history("?span=900")["times"]
new = [one for one in times if one > first["times"][0]]
check(f"{len(new)} readings in {took} s", 2 <= len(new) <= took + 2)
check(f"looks: {set(answers)}", set(answers) == {200} and len(answers) > 50)
check(f"scrapes: {set(scrapes)}", set(scrapes) == {200} and len(scrapes) > 3)
print(f"{len(answers)} looks and {len(scrapes)} scrapes in {took:.1f} s, {len(new)} readings")

# What is new since then.
time.sleep(1.1)
last = times[-1]
news = history(f"?since={last}")
check(f"news: {news['times']}", news["times"] and all(one > last for one in news["times"]))

# Single metrics; one that does not exist.
only = history("?span=900&metric=threads,memory")["targets"][0]
check(f"metrics: {only['values']}", set(only["values"]) == {"threads", "memory"} and only["starts"])
status, body = get("/api/v1/history?metric=threads,cores")
check(f"a wrong metric: {status} {body}", status == 400 and b"cores" in body and b"cpu, memory, fds" in body)

# More different looks at a time than a collection serves are told to come again.
answers = []
threads = [
    threading.Thread(target=lambda n=n: answers.append(get(f"/api/v1/history?since={n}")))
    for n in range(39)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
codes = [status for status, _ in answers]
check(f"different looks: {codes}", set(codes) <= {200, 503} and codes.count(200) >= 16)

# Nobody looks: no thread does anything. Connections have gone by then.
time.sleep(2)
before = turns()
time.sleep(5)
after = turns()
check(f"{after - before} turns in five seconds that nobody asked for", after - before <= 2)
again = history("?span=900")["times"]
check("read while nobody looked", len([one for one in again if one > news["times"][-1]]) == 1)
PYTHON
