"""A server that behaves as the Hugging Face hub does: the API, files by HEAD and GET, redirects of large files to
a second port (the CDN) that knows ranges, and on demand all the faults that a network has.

    with HubServer() as hub:
        hub.add("owner/name", {"model-q8_0.gguf": b"..."})
        hub.faults.cut_after = 100_000
        ... HF_ENDPOINT=hub.endpoint ...
        hub.log  # every request: server, method, path, headers
"""

import contextlib
import dataclasses
import hashlib
import json
import random
import socket
import ssl
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGE = 1024  # bytes from which a file is kept by its SHA-256 and served by the CDN


def some_bytes(count, seed=0):
    return random.Random(f"{count} {seed}").randbytes(count)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def git_sha1(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def blob_name(data):
    return sha256(data) if len(data) >= LARGE else git_sha1(data)


class Repo:
    def __init__(self, files, token=None, gated=False):
        self.files = dict(files)
        self.token = token  # who does not send it sees nothing
        self.gated = gated
        self.revisions = {"main": self.commit}

    @property
    def commit(self):
        return hashlib.sha1(repr(sorted((k, sha256(v)) for k, v in self.files.items())).encode()).hexdigest()

    def siblings(self):
        for name, data in sorted(self.files.items()):
            entry = {"rfilename": name, "size": len(data), "blobId": git_sha1(data)}
            if len(data) >= LARGE:
                entry["lfs"] = {"sha256": sha256(data), "size": len(data), "pointerSize": 134}
            yield entry

    def tree(self):
        for name, data in sorted(self.files.items()):
            entry = {"type": "file", "path": name, "size": len(data), "oid": git_sha1(data)}
            if len(data) >= LARGE:
                entry["lfs"] = {"oid": sha256(data), "size": len(data), "pointerSize": 134}
            yield entry


@dataclasses.dataclass
class Faults:
    """What goes wrong; the defaults are a network where nothing does."""

    cut_after: int | None = None  # bytes of a body, then the connection is cut
    ignore_range: bool = False  # a range is answered by the whole file
    wrong_offset: bool = False  # a range is answered from elsewhere
    swap: dict = dataclasses.field(default_factory=dict)  # SHA-256 -> other bytes, with another ETag, after a cut
    more: bytes = b""  # what follows behind a large file
    damage: set = dataclasses.field(default_factory=set)  # names or hashes whose bytes are changed
    pause: float = 0  # seconds between two pieces of a body
    piece: int = 1 << 16  # bytes of a piece
    statuses: list = dataclasses.field(default_factory=list)  # (path part, status, headers) answered first, in turn
    siblings: list = dataclasses.field(default_factory=list)  # entries more in the API's answer
    api_body: bytes | None = None  # instead of the API's answer
    location: str | None = None  # where a large file redirects to


@dataclasses.dataclass
class Logged:
    server: str
    method: str
    path: str
    headers: dict


class HubServer:
    def __init__(self, certificate=None):
        """`certificate`: (file of the certificate, file of its key); the hub, not the CDN, speaks TLS then."""
        self.repos = {}
        self.faults = Faults()
        self.log = []
        self.lock = threading.Lock()
        self.hub = self._server("hub")
        self.cdn = self._server("cdn")
        self.endpoint = f"http://127.0.0.1:{self.hub.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.hub.socket = context.wrap_socket(self.hub.socket, server_side=True)
            self.endpoint = f"https://127.0.0.1:{self.hub.server_port}"
        # Another name of the same machine, so that the CDN is another host, as it is in the world.
        self.cdn_address = f"http://localhost:{self.cdn.server_port}"

    def _server(self, kind):
        handler = type("Handler", (Handler,), {"owner": self, "kind": kind})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        return server

    def __enter__(self):
        for server in (self.hub, self.cdn):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        for server in (self.hub, self.cdn):
            server.shutdown()
            server.server_close()

    def add(self, name, files, **more):
        self.repos[name] = Repo(files, **more)
        return self.repos[name]

    def requests(self, server=None, method=None, part=""):
        with self.lock:
            return [r for r in self.log if server in (None, r.server) and method in (None, r.method) and part in r.path]

    def large_file(self, digest):
        for repo in self.repos.values():
            for data in repo.files.values():
                if len(data) >= LARGE and sha256(data) == digest:
                    return data
        return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: HubServer
    kind: str

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.respond()

    def do_GET(self):
        self.respond()

    def respond(self):
        with self.owner.lock:
            self.owner.log.append(Logged(self.kind, self.command, self.path, dict(self.headers)))
            planned = self.planned()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if planned:
                self.plain(planned[1], headers=planned[2])
            elif self.kind == "cdn":
                self.serve_cdn()
            else:
                self.serve_hub()

    def planned(self):
        statuses = self.owner.faults.statuses
        for i, (part, *_) in enumerate(statuses):
            if part in self.path:
                return statuses.pop(i)
        return None

    # Answers.

    def plain(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def json(self, value):
        body = self.owner.faults.api_body
        self.plain(200, body if body is not None else json.dumps(value).encode(), {"Content-Type": "application/json"})

    def refuse(self, status, code, message=""):
        self.plain(status, b'{"error":"no"}', {"X-Error-Code": code, "X-Error-Message": message or code})

    def body(self, data, etag, headers, is_damaged):
        """The file or the range of it that is asked for, piece by piece, with the faults of the day."""
        faults = self.owner.faults
        start, status = 0, 200
        wanted = self.headers.get("Range")
        guard = self.headers.get("If-Range")
        if wanted and not faults.ignore_range and (guard is None or guard == etag):
            start, status = int(wanted.removeprefix("bytes=").rstrip("-")), 206
            if start >= len(data):
                self.plain(416, headers={"Content-Range": f"bytes */{len(data)}"})
                return
            if faults.wrong_offset:
                start //= 2
        piece = data[start:]
        if is_damaged:
            piece = bytes([piece[0] ^ 1]) + piece[1:]
        self.send_response(status)
        self.send_header("ETag", etag)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(piece)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.send_pieces(piece)

    def send_pieces(self, data):
        faults = self.owner.faults
        left = len(data) if faults.cut_after is None else min(faults.cut_after, len(data))
        for at in range(0, left, faults.piece):
            self.wfile.write(data[at : min(at + faults.piece, left)])
            if faults.pause:
                self.wfile.flush()
                time.sleep(faults.pause)
        if left < len(data):
            self.wfile.flush()
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    # The CDN: large files by their hash, with no idea of users.

    def serve_cdn(self):
        digest = urllib.parse.urlsplit(self.path).path.removeprefix("/files/")
        data = self.owner.large_file(digest)
        if data is None:
            self.plain(404)
            return
        faults = self.owner.faults
        if digest in faults.swap and self.headers.get("Range"):
            data = faults.swap[digest]
        etag = f'"{hashlib.md5(data).hexdigest()}"'
        self.body(data + faults.more, etag, {}, digest in faults.damage)

    # The hub.

    def serve_hub(self):
        url = urllib.parse.urlsplit(self.path)
        parts = urllib.parse.unquote(url.path).strip("/").split("/")
        is_api = parts[:2] == ["api", "models"]
        name = "/".join(parts[2:4] if is_api else parts[:2])
        rest = parts[4:] if is_api else parts[2:]
        repo = self.owner.repos.get(name)
        if repo is None or (repo.token and self.headers.get("Authorization") != f"Bearer {repo.token}"):
            self.refuse(401 if not self.headers.get("Authorization") else 404, "RepoNotFound", "Repository not found")
        elif is_api:
            self.serve_api(name, repo, rest)
        elif rest and rest[0] == "resolve":
            self.serve_file(repo, url.path.split("/resolve/", 1)[1])
        else:
            self.plain(404)

    def commit_of(self, repo, revision):
        if revision in (repo.commit, "main"):
            return repo.commit
        return repo.revisions.get(revision)

    def serve_api(self, name, repo, rest):
        if rest[:1] == ["refs"]:
            branches = [{"name": r, "ref": f"refs/heads/{r}", "targetCommit": c} for r, c in repo.revisions.items()]
            self.json({"branches": branches, "tags": [], "converts": []})
            return
        revision = "/".join(rest[1:]) if rest else "main"
        commit = self.commit_of(repo, revision)
        if commit is None:
            self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        elif rest[:1] == ["tree"]:
            self.json(list(repo.tree()))
        else:
            siblings = list(repo.siblings()) + self.owner.faults.siblings
            self.json({"_id": "0", "id": name, "modelId": name, "sha": commit, "private": False, "siblings": siblings})

    def serve_file(self, repo, path):
        revision, _, name = path.partition("/")
        name = urllib.parse.unquote(name)
        commit = self.commit_of(repo, urllib.parse.unquote(revision))
        if commit is None:
            self.refuse(404, "RevisionNotFound")
        elif repo.gated:
            self.refuse(403, "GatedRepo", "Access to this model is restricted")
        elif name not in repo.files:
            self.refuse(404, "EntryNotFound")
        else:
            self.send_file(repo.files[name], name, commit)

    def send_file(self, data, name, commit):
        digest = blob_name(data)
        headers = {"X-Repo-Commit": commit}
        if len(data) < LARGE:
            self.body(data, f'"{digest}"', headers, name in self.owner.faults.damage)
            return
        location = self.owner.faults.location or f"{self.owner.cdn_address}/files/{digest}?signature=1"
        headers |= {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(data)), "Location": location}
        self.plain(302, b"see there", headers)


class Proxy:
    """A forwarding HTTP proxy that remembers what went through it."""

    def __init__(self):
        self.seen = []
        proxy = self

        class Forward(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                proxy.seen.append(self.path)
                url = urllib.parse.urlsplit(self.path)
                with socket.create_connection((url.hostname, url.port)) as upstream:
                    target = url.path + (f"?{url.query}" if url.query else "")
                    lines = [f"GET {target} HTTP/1.1"]
                    lines += [f"{k}: {v}" for k, v in self.headers.items() if not k.lower().startswith("proxy-")]
                    lines += ["Connection: close", "", ""]
                    upstream.sendall("\r\n".join(lines).encode())
                    while data := upstream.recv(1 << 16):
                        self.wfile.write(data)
                self.close_connection = True

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Forward)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
