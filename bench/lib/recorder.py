"""A downstream that writes down what is posted to it."""

import http.server
import json
import socket
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.links.append(self.connection)

    def do_POST(self):  # pylint: disable=invalid-name
        length = int(self.headers["Content-Length"])
        self.server.posts.append(json.loads(self.rfile.read(length)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_arguments):  # pylint: disable=arguments-differ
        pass


class Recorder:
    """Listens on a port while it is entered; `posts` are the documents."""

    def __init__(self, port):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port),
                                                      Handler)
        self.server.daemon_threads = True
        self.server.links = []
        self.posts = self.server.posts = []

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,),
                         daemon=True).start()
        return self

    def __exit__(self, *_ignored):
        self.server.shutdown()
        self.server.socket.close()
        for link in self.server.links:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # its peer has closed it
