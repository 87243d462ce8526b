# The page in a real browser with 0, 1, 12 and 500 targets, whatever their names are: lines come to
# life, nothing is complained of, nothing is asked elsewhere, the HTML is valid and light.
. "$(dirname "$0")/lib.sh"
need chromium gzip python3 tidy
pictures=$ROOT/.build/e2e
mkdir -p "$pictures"
export WORK

# Programs whose names and arguments are what somebody hostile would choose.
python3 - "$WORK" <<'PYTHON' || fail "see above"
import os, shutil, sys
names = ["<script>x()", "\"><img src=x", "' onload='", "a\u202etxt", "</main>", "&lt;b&gt;"]
for number, name in enumerate(n.encode() for n in names):
    shutil.copy("/bin/sleep", os.path.join(os.fsencode(sys.argv[1]), b"p" + str(number).encode()))
shutil.copy("/bin/sleep", os.path.join(os.fsencode(sys.argv[1]), b"\xff\xfe\"<"))
PYTHON
for number in 0 1 2 3 4 5; do "$WORK/p$number" 1000 & track $!; pids[number]=$!; done
"$WORK/"$'\xff\xfe"<' 1000 & track $!
bash -c 'ulimit -n 64; for _ in $(seq 50); do exec {fd}< /dev/null; done; exec sleep 1000' & track $!
full=$!
for number in $(seq 1000 1499); do
  sleep 3$number &
  many+=($!)
done
finish() { kill "${many[@]}"; }
echo 'targets: [{name: "none-${comm}", process_name: nobody}]' > "$WORK/none.yaml"
cat > "$WORK/twelve.yaml" <<YAML
targets:
  - {name: "<script>document.title='owned'</script>", pid: ${pids[0]}, labels: {zone: "\"><b>"}}
  - {name: "\"><img src=x onerror=alert(1)>", pid: ${pids[1]}}
  - {name: "' onmouseover='alert(1)", pid: ${pids[2]}}
  - {name: "invoice\u202Efdp.exe", pid: ${pids[3]}}
  - {name: "</template></main></body>", pid: ${pids[4]}}
  - {name: "&lt;script&gt;", pid: ${pids[5]}}
  - {name: "\${comm}", process_name: "*\"<"}
  - {name: full, pid: $full}
  - {name: itself, pid: 1}
  - {name: gone, pid_file: $WORK/no.pid}
  - {name: nobody, process_name: "<b>nobody</b>"}
  - {name: busy, process_name: procvitals}
YAML
cat > "$WORK/many.yaml" <<'YAML'
targets:
  - {name: "job-${n}", cmdline: '^sleep 3(?<n>1\d\d\d)$', labels: {shard: "${n}"}}
YAML

# look COUNT ARGUMENTS...: the page of a daemon that has so many targets.
look() {
  local count=$1
  shift
  start "$@"
  curl -sS -m 30 "$URL/" > "$WORK/page.html"
  tidy -errors -quiet -utf8 --drop-empty-elements no "$WORK/page.html" 2>&1 |
    grep -v 'proprietary attribute "aria-current"' > "$WORK/tidy"
  [ ! -s "$WORK/tidy" ] || fail "$count targets: $(head -n 5 "$WORK/tidy")"
  PYTHONPATH=$HERE python3 - "$URL" "$count" "$pictures" <<'PYTHON' || fail "the page of $count targets"
import gzip, json, re, sys, time, urllib.request
from browser import Browser
url, count, pictures = sys.argv[1], int(sys.argv[2]), sys.argv[3]

def check(what, holds):
    if not holds:
        sys.exit(f"FAILED: {what}")

def get(path):
    request = urllib.request.Request(url + path, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()

for dark in [False, True] if count == 12 else [False]:
    with Browser(size=(1440, 1000), dark=dark) as browser:
        browser.open(url + "/")
        browser.until("document.getElementById('live').textContent === 'live'")
        shown = browser.value("document.querySelectorAll('main [data-id]').length")
        check(f"{shown} targets are shown", shown == count)
        if count:
            # A line that goes somewhere, and it goes on.
            line = "document.querySelector('main [data-m=cpu] .line[d*=L]')"
            browser.until(f"{line} !== null")
            before = browser.value(f"{line}.getAttribute('d')")
            browser.until(f"({line} || document.body).getAttribute('d') !== {json.dumps(before)}")
        if count == 12:
            names = browser.value("[...document.querySelectorAll('main h2 bdi')].map(e => e.textContent)")
            for name in ["<script>document.title='owned'</script>", "</template></main></body>",
                         "invoice\ufffdfdp.exe", "&lt;script&gt;", "\ufffd\ufffd\"<"]:
                check(f"{name!r} is not among {names}", name in names)
            check("a script of a name ran", browser.value("document.title").endswith("procvitals"))
            check("elements of names", browser.value("document.querySelectorAll('main img, main b b, main script').length") == 0)
            near = browser.value("[...document.querySelectorAll('main .near[data-m=fds] .of')].map(e => e.textContent)")
            check(f"what is near its limit: {near}", len(near) == 1 and near[0].startswith("▲ of 64, "))
            why = browser.value("document.querySelector('main').textContent")
            check("no reason for what is gone", "no.pid" in why and "no process fits process_name: <b>nobody</b>" in why)
            # The same time on all charts, by pointer and by key.
            browser.value("document.querySelector('#when input').value = 500; document.querySelector('#when input').dispatchEvent(new Event('input'))")
            browser.until("document.querySelectorAll('main .cross').length > 30")
            browser.value("document.querySelector('#when input').value = 600; document.querySelector('#when input').dispatchEvent(new Event('input'))")
            browser.until("document.querySelectorAll('main .cross').length === 0")
            # Nothing is asked for while it is paused.
            browser.value("document.getElementById('pause').click()")
            time.sleep(0.5)
            asked = len(browser.requests)
            time.sleep(3)
            browser.value("1")
            check("asked while paused", len(browser.requests) == asked)
            browser.value("document.getElementById('pause').click()")
            browser.until("document.getElementById('live').textContent === 'live'")
        if count > 12:
            browser.value("const f = document.querySelector('#filter input'); f.value = 'job-1007'; f.dispatchEvent(new Event('input'))")
            left = browser.value("[...document.querySelectorAll('main [data-id]')].filter(e => !e.hidden).length")
            check(f"the filter leaves {left}", left == 1)
            browser.value("f.value = ''; f.dispatchEvent(new Event('input'))")
        browser.picture(f"{pictures}/page-{count}{'-dark' if dark else ''}.png", full=count < 50)
        if count == 1:
            # Whatever figures come, the least and the most of each column are drawn, up to both sides
            # of a gap: the next answer is one of fifteen minutes.
            browser.value("document.querySelector('[data-span=\"900\"]').click()")
            browser.value("""{
              const real = window.fetch;
              let isOver = false;
              window.fetch = async (...what) => {
                if (isOver) return new Promise(() => {});
                isOver = true;
                const answer = await (await real(...what)).json();
                answer.times = Array.from({length: 450}, (_, n) => (answer.now + 5 + 2 * n) * 1000);
                answer.now = answer.times[449] / 1000;
                window.sizes = answer.times.map((_, n) =>
                  n % 97 < 90 - n % 13 ? Math.round(Math.random() * 1000) : null);
                for (const one of answer.targets) {
                  Object.assign(one, {values: {memory: window.sizes}, starts: answer.times.map(() => 0)});
                }
                return new Response(JSON.stringify(answer));
              };
            }""")
            browser.until("window.sizes && document.querySelector('main [data-m=memory] .line[d*=\"L600\"]') !== null")
            sizes = browser.value("window.sizes")
            path = browser.value("document.querySelector('main [data-m=memory] .line').getAttribute('d')")
            drawn = [tuple(map(int, point)) for point in re.findall(r"[ML](\d+) (\d+)", path)]
            top = 1.1 * max(size for size in sizes if size is not None)
            for start in range(0, 450, 3):
                column = [(round(n / 449 * 600), 100 * (1 - sizes[n] / top)) for n in range(start, start + 3)
                          if sizes[n] is not None]
                shown = [y for x, y in drawn if column and column[0][0] <= x <= column[-1][0]]
                for bound in (min, max):
                    if column and abs(bound(shown) - bound(y for _, y in column)) > 0.51:
                        check(f"column {start} has {column} and shows {shown}", False)
            gaps = sum(size is None and sizes[n - 1] is not None for n, size in enumerate(sizes[1:], 1))
            check(f"{gaps} gaps in {path}", gaps <= path.count("M") <= gaps + 1 and gaps > 3)
        check(f"complaints: {browser.complaints}", not browser.complaints)
        elsewhere = [one for one in browser.requests if not one.startswith((url, "data:"))]
        check(f"asked elsewhere: {elsewhere}", not elsewhere)

weight = sum(len(get(path)) for path in ["/", "/assets/page.css", "/assets/page.js"])
check(f"{weight} bytes", weight < 60_000)
print(f"{count} targets: {weight} bytes compressed")
if count:
    answer = json.loads(gzip.decompress(get("/api/v1/history?span=900")))
    own = answer["exporter"]["open_fds"]
    check(f"{own} descriptors of its own", own is None or own > 4)
    check("a history", len(answer["times"]) >= 2 and len(answer["targets"]) == count)
PYTHON
  stop "$DAEMON" || fail "it does not end"
}

look 0 --config.file="$WORK/none.yaml"
look 1
look 12 --config.file="$WORK/twelve.yaml"
look 500 --config.file="$WORK/many.yaml"
