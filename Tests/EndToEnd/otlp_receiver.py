"""An OpenTelemetry receiver that does what a file says.

otlp_receiver.py DIRECTORY [PORT]: prints its port. Before each answer it reads DIRECTORY/mode: ok,
partial, redirect, html, garbage, hang, or a status with or without Retry-After ("503 2"). Of each
request it appends a line of JSON to DIRECTORY/requests: time, path, headers, and what was in it, read
with OpenTelemetry's own messages.
"""
import gzip, json, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest, ExportMetricsServiceResponse)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE

directory = sys.argv[1]
lock = threading.Lock()


def attributes(pairs):
    found = {p.key: getattr(p.value, p.value.WhichOneof("value")) for p in pairs}
    assert len(found) == len(pairs), "an attribute twice"
    return found


def resources(body):
    request = ExportMetricsServiceRequest.FromString(body)
    # What it does not know, or what is not written as it would, shows here.
    assert len(request.SerializeToString()) == len(body), "not what the library would have written"
    found = []
    for resource in request.resource_metrics:
        metrics = {}
        for scope in resource.scope_metrics:
            assert scope.scope.name == "procvitals" and scope.scope.version, scope.scope
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                data = getattr(metric, kind)
                assert metric.name not in metrics, f"{metric.name} twice"
                assert data.data_points, f"{metric.name} is empty"
                if kind in ("sum", "histogram"):
                    assert data.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE
                points = []
                for p in data.data_points:
                    point = {"labels": attributes(p.attributes), "at": p.time_unix_nano}
                    if kind != "gauge":
                        point["since"] = p.start_time_unix_nano
                    if kind in ("sum", "gauge"):
                        point["value"] = getattr(p, p.WhichOneof("value"))
                    else:
                        point.update(count=p.count, sum=p.sum)
                    if kind == "histogram":
                        assert sum(p.bucket_counts) == p.count, metric.name
                        assert len(p.bucket_counts) == len(p.explicit_bounds) + 1
                    points.append(point)
                metrics[metric.name] = {
                    "kind": kind, "unit": metric.unit, "points": points,
                    "monotonic": kind == "sum" and data.is_monotonic}
        found.append({"attributes": attributes(resource.resource.attributes), "metrics": metrics})
    return found


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        mode = open(f"{directory}/mode").read().split()
        line = json.dumps({
            "time": time.monotonic(), "path": self.path, "mode": mode[0],
            "headers": {k.lower(): v for k, v in self.headers.items()}, "resources": resources(body)})
        with lock, open(f"{directory}/requests", "a") as log:
            log.write(line + "\n")
        getattr(self, mode[0], self.status)(*mode)

    def respond(self, status, body=b"", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def ok(self, *_):
        self.respond(200, Content_Type="application/x-protobuf")

    def partial(self, *_):
        answer = ExportMetricsServiceResponse()
        answer.partial_success.rejected_data_points = 7
        answer.partial_success.error_message = "too many\nof them"
        self.respond(200, answer.SerializeToString(), Content_Type="application/x-protobuf")

    def redirect(self, *_):
        self.respond(307, Location="/elsewhere")

    def html(self, *_):
        self.respond(200, b"<p>Log in", Content_Type="text/html")

    def garbage(self, *_):
        self.wfile.write(b"\0\1\2 garbage\r\n\r\n")

    def hang(self, *_):
        while open(f"{directory}/mode").read().split()[0] == "hang":
            time.sleep(0.05)

    def status(self, code, wait=None):
        self.respond(int(code), b"as told", **({"Retry_After": wait} if wait else {}))

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2] if len(sys.argv) > 2 else 0)), Handler)
print(server.server_port, flush=True)
server.serve_forever()
