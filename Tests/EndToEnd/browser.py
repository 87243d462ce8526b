"""Chromium without a window, driven over two pipes as its DevTools protocol has it."""

import base64, json, os, select, shutil, subprocess, tempfile, time


class Browser:
    def __init__(self, *options, size=(1280, 900), dark=False):
        self.profile = tempfile.mkdtemp(dir=os.environ.get("WORK"))
        to_browser, self.to = os.pipe()
        self.of, from_browser = os.pipe()

        def place():
            # Out of the way first: the pipes may be 3 and 4 in the wrong order.
            one, other = os.dup(to_browser), os.dup(from_browser)
            one, other = os.dup(one), os.dup(other)
            os.dup2(one, 3)
            os.dup2(other, 4)

        self.process = subprocess.Popen(
            [
                "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--mute-audio",
                "--force-color-profile=srgb", "--remote-debugging-pipe",
                f"--window-size={size[0]},{size[1]}", f"--user-data-dir={self.profile}",
                *options, "about:blank",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.profile, "stderr"), "wb"),
            close_fds=False, preexec_fn=place, env={**os.environ, "HOME": self.profile},
        )
        os.close(to_browser)
        os.close(from_browser)
        self.last, self.rest = 0, b""
        # What the pages complained of.
        self.complaints = []
        self.requests = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(domain + ".enable")
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.call("Browser.close")
        except (OSError, TimeoutError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    session = None

    def call(self, method, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        number, end = self.last, time.monotonic() + 60
        while True:
            answer = self.message(end)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def message(self, end):
        """The next message; events are looked at on the way."""
        while b"\0" not in self.rest:
            if not select.select([self.of], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            piece = os.read(self.of, 1 << 20)
            if not piece:
                raise OSError("the browser has ended")
            self.rest += piece
        text, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(text)
        event, data = message.get("method"), message.get("params", {})
        if event == "Log.entryAdded":
            entry = data["entry"]
            self.complaints.append(f"{entry['level']}: {entry['text']} {entry.get('url', '')}")
        elif event == "Runtime.exceptionThrown":
            details = data["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif event == "Runtime.consoleAPICalled":
            self.complaints.append(f"console: {data['args']}")
        elif event == "Page.javascriptDialogOpening":
            self.complaints.append(f"dialog: {data['message']}")
        elif event == "Network.requestWillBeSent":
            self.requests.append(data["request"]["url"])
        return message

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def until(self, expression, seconds=60):
        end = time.monotonic() + seconds
        while True:
            try:
                if self.value(expression):
                    return
            except RuntimeError:  # the page is being replaced
                pass
            if time.monotonic() > end:
                raise TimeoutError(f"it never holds: {expression}")
            time.sleep(0.1)

    def picture(self, path, full=True, clip=None):
        """A picture of the page, or of a part (x, y, width, height) of it, in a file."""
        part = dict(zip(["x", "y", "width", "height"], clip), scale=1) if clip else None
        data = self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=full,
            **{"clip": part} if part else {})["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
