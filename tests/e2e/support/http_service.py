"""An HTTP service beside the broker, over TCP, TLS or a Unix socket, which remembers what it was asked."""
import http.server
import json
import os
import socket
import socketserver
import ssl
import threading


class Service:
    """An HTTP server whose answers a test chooses: `answer(path, request)` returns (status, text)."""

    def __init__(self, answer, folder=None, unix=None):
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = json.loads(body) if body else {}
                service.requests.append(request)
                status, text = service.answer(self.path, request)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = reply

            def log_message(self, *_):
                pass

            def address_string(self):
                return "local"

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            address_family = socket.AF_UNIX if unix else socket.AF_INET

            def server_bind(self):
                socketserver.TCPServer.server_bind(self)

            def handle_error(self, *_):
                """Handshakes that fail are what some tests are about."""

        self.answer = answer
        self.requests = []
        self.server = Server(unix or ("127.0.0.1", 0), Handler)
        if folder:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if folder else "http"
        self.url = ("http://unix:%s:/login" % unix if unix else
                    "%s://localhost:%d/login" % (scheme, self.server.server_address[1]))
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
