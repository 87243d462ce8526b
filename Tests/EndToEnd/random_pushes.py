"""random_pushes.py FILE...: what pages for an OpenTelemetry receiver have, read with OpenTelemetry's own
messages, in the lines of random_pushes.swift, in FILE.read for each."""

import struct
import sys

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


def hexadecimal(text):
    return text.encode().hex()


def bits(number):
    return "nan" if number != number else format(struct.unpack("<Q", struct.pack("<d", number))[0], "x")


def pairs(attributes):
    def value(v):
        return f"i{v.int_value}" if v.WhichOneof("value") == "int_value" else hexadecimal(v.string_value)

    return ",".join(f"{hexadecimal(a.key)}={value(a.value)}" for a in attributes)


def value(point, kind):
    if kind in ("sum", "gauge"):
        return f"i{point.as_int}" if point.WhichOneof("value") == "as_int" else bits(point.as_double)
    start = f"{point.count} {bits(point.sum)} "
    if kind == "summary":
        return start + ",".join(f"{bits(q.quantile)}:{bits(q.value)}" for q in point.quantile_values)
    return start + ",".join(map(str, point.bucket_counts)) + " " + ",".join(map(bits, point.explicit_bounds))


def listing(page):
    request = ExportMetricsServiceRequest.FromString(page)
    everything = request.SerializeToString()
    request.DiscardUnknownFields()
    assert request.SerializeToString() == everything, "fields that the library does not know"
    lines = []
    for resource in request.resource_metrics:
        lines.append(f"resource {pairs(resource.resource.attributes)}")
        assert len(resource.scope_metrics) == 1
        for metric in resource.scope_metrics[0].metrics:
            kind = metric.WhichOneof("data")
            data = getattr(metric, kind)
            line = f"metric {hexadecimal(metric.name)} {hexadecimal(metric.unit)} {hexadecimal(metric.description)} {kind}"
            if kind in ("sum", "histogram"):
                line += f" {data.aggregation_temporality}"
            lines.append(line + (f" {int(data.is_monotonic)}" if kind == "sum" else ""))
            lines += [
                f"point [{pairs(p.attributes)}] {p.start_time_unix_nano} {p.time_unix_nano} {value(p, kind)}"
                for p in data.data_points
            ]
    return "\n".join(lines) + "\n"


for path in sys.argv[1:]:
    with open(path, "rb") as page, open(path + ".read", "w") as lines:
        lines.write(listing(page.read()))
