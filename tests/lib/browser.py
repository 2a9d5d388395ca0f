"""A Chromium that is asked how it lays a page out, over the pipe of its
DevTools protocol (--remote-debugging-pipe: JSON, each ended by a NUL)."""

import base64
import fcntl
import json
import os
import select
import time

import kit
import tap


class Browser:
    """One page, in a viewport and with a colour scheme of the test's choice."""

    def __init__(self):
        chromium = kit.need_server("chromium")
        commands, self.out = os.pipe()
        self.answers, answers = os.pipe()
        # It reads descriptor 3 and writes to 4; a shell puts them there, from
        # numbers that are neither.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20)
                for end in (commands, answers)]
        script = f'exec "$@" 3<&{ends[0]} 4>&{ends[1]}'
        self.process = kit.Process(
            "chromium",
            ["bash", "-c", script, "sh", chromium, "--headless", "--no-sandbox",
             "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-sync", "--disable-background-networking",
             "--disable-component-update", "--disable-breakpad",
             f"--user-data-dir={kit.fresh_path('chromium')}",
             "--remote-debugging-pipe", "about:blank"], pass_fds=ends)
        for end in (commands, answers, *ends):
            os.close(end)
        self.buffer, self.number, self.session = b"", 0, None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        self.call("Page.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        self.session = None
        try:
            self.call("Browser.close")
            self.process.wait()
        finally:
            self.process.end()
            os.close(self.out)
            os.close(self.answers)

    def _message(self, deadline):
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            ready = select.select([self.answers], [], [], max(left, 0))[0]
            data = os.read(self.answers, 1 << 20) if ready else b""
            if not data:
                raise tap.Failure("chromium does not answer")
            self.buffer += data
        text, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(text)

    def _until(self, wanted):
        deadline = time.monotonic() + kit.wait_limit(60)
        while True:
            message = self._message(deadline)
            if wanted(message):
                return message

    def call(self, method, **parameters):
        """What a command gives."""
        self.number += 1
        number = self.number
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        answer = self._until(lambda got: got.get("id") == number)
        tap.check("error" not in answer, f"{method}: {answer.get('error')}")
        return answer["result"]

    def show(self, address, width, scheme="light"):
        """Load the page in a viewport of that width."""
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=800, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=address)
        self._until(lambda got: got.get("method") == "Page.loadEventFired")

    def evaluate(self, expression):
        """The value of a JavaScript expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression,
                           returnByValue=True)
        tap.check("exceptionDetails" not in result, f"{expression}: {result}")
        return result["result"].get("value")

    def picture(self):
        """The whole page as a PNG, for people."""
        return base64.b64decode(self.call("Page.captureScreenshot",
                                          captureBeyondViewport=True)["data"])
