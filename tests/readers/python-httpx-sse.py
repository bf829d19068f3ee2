"""Follows a stream with the Python package httpx-sse: python-httpx-sse.py URL.

The package reads and nothing else; connecting again with the last id is done here, as somebody who uses it has to.
"""

import json
import sys
import time

import httpx
import httpx_sse


def tell(**line):
    print(json.dumps(line), flush=True)


class Reader:
    def __init__(self, url):
        self.url = url
        self.last = ""
        self.delay = 1.0

    def read(self, client):
        """Whether the run has ended."""
        headers = {"Last-Event-ID": self.last} if self.last else {}
        with httpx_sse.connect_sse(client, "GET", self.url, headers=headers) as source:
            source.response.raise_for_status()
            tell(state="open")
            for event in source.iter_sse():
                # It is the last id so far, also where the event has none.
                self.last = event.id
                if event.retry is not None:
                    self.delay = event.retry / 1000
                tell(id=event.id, type=event.event, data=event.data)
                if event.event == "run.finished":
                    return True
        tell(state="the stream ended")
        return False

    def follow(self):
        with httpx.Client(timeout=httpx.Timeout(10.0, read=45.0)) as client:
            while True:
                try:
                    if self.read(client):
                        return
                except (httpx.TransportError, httpx.HTTPStatusError) as error:
                    tell(state=f"lost: {error}")
                time.sleep(self.delay)


Reader(sys.argv[1]).follow()
