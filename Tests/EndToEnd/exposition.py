"""exposition.py DIRECTORY: reads the pages of one moment in it, by independent readers.

text, openmetrics, openmetrics-created, protobuf and json are pages of the same targets; what differs
is told, and the exit status is 1. OpenMetrics is read by the strict parser of prometheus_client,
protobuf by Google's library with the definition below.
"""

import importlib
import json
import math
import os
import subprocess
import sys

from prometheus_client import parser as text_parser
from prometheus_client.openmetrics import parser as strict_parser

# As in metrics.proto of prometheus/client_model, without native histograms, and with the timestamp of
# google/protobuf/timestamp.proto.
PROTO = """
syntax = "proto2";
package io.prometheus.client;
message Timestamp { optional int64 seconds = 1; optional int32 nanos = 2; }
message LabelPair { optional string name = 1; optional string value = 2; }
enum MetricType { COUNTER = 0; GAUGE = 1; SUMMARY = 2; UNTYPED = 3; HISTOGRAM = 4; }
message Gauge { optional double value = 1; }
message Counter {
  optional double value = 1;
  optional Timestamp created_timestamp = 3;
}
message Quantile { optional double quantile = 1; optional double value = 2; }
message Summary {
  optional uint64 sample_count = 1;
  optional double sample_sum = 2;
  repeated Quantile quantile = 3;
  optional Timestamp created_timestamp = 4;
}
message Bucket { optional uint64 cumulative_count = 1; optional double upper_bound = 2; }
message Histogram {
  optional uint64 sample_count = 1;
  optional double sample_sum = 2;
  repeated Bucket bucket = 3;
  optional Timestamp created_timestamp = 15;
}
message Metric {
  repeated LabelPair label = 1;
  optional Gauge gauge = 2;
  optional Counter counter = 3;
  optional Summary summary = 4;
  optional int64 timestamp_ms = 6;
  optional Histogram histogram = 7;
}
message MetricFamily {
  required string name = 1;
  optional string help = 2;
  required MetricType type = 3;
  repeated Metric metric = 4;
  optional string unit = 5;
}
"""

problems = []


def check(holds, what):
    if not holds:
        problems.append(what)


def key(name, labels):
    return name, tuple(sorted(labels.items()))


def add(samples, name, labels, value):
    for point in ("quantile", "le"):  # 1, 1.0 and 1e0 are the same
        if point in labels:
            labels = labels | {point: str(float(labels[point]))}
    check(key(name, labels) not in samples, f"{name}{labels} is there twice")
    samples[key(name, labels)] = value


def read_text(page):
    samples = {}
    for family in text_parser.text_string_to_metric_families(page):
        for sample in family.samples:
            add(samples, sample.name, sample.labels, sample.value)
    return samples


def read_openmetrics(page, created=None):
    """The samples; those that tell since when counters count go to `created`, if it is there."""
    samples = {}
    for family in strict_parser.text_string_to_metric_families(page):
        check(family.documentation, f"{family.name} has no HELP")
        if family.unit:
            check(family.name.endswith("_" + family.unit), f"{family.name}: {family.unit}")
        for sample in family.samples:
            if family.type != "gauge" and sample.name.endswith("_created"):
                check(created is not None, f"{sample.name} without being asked for")
                if created is not None:
                    suffix = "_total" if family.type == "counter" else ""
                    created[key(family.name + suffix, sample.labels)] = sample.value
            else:
                add(samples, sample.name, sample.labels, sample.value)
    return samples


def read_protobuf(page, directory, created):
    with open(os.path.join(directory, "page.proto"), "w", encoding="utf-8") as file:
        file.write(PROTO)
    subprocess.run(
        ["protoc", f"--proto_path={directory}", f"--python_out={directory}", "page.proto"],
        check=True)
    sys.path.insert(0, directory)
    message_type = importlib.import_module("page_pb2").MetricFamily
    samples = {}
    place = 0
    while place < len(page):
        size = shift = 0
        while True:
            byte = page[place]
            place += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        family = message_type.FromString(page[place:place + size])
        place += size
        # What the definition does not have would be left over, and come out again in another order.
        check(len(family.SerializeToString()) == size, f"{family.name}: unknown fields")
        check(family.HasField("type") and family.help and family.metric, family.name)
        for metric in family.metric:
            labels = {pair.name: pair.value for pair in metric.label}
            check(len(labels) == len(metric.label), f"{family.name}: a label twice")
            kind = ("counter", "gauge", "summary", "", "histogram")[family.type]
            check([field.name for field, _ in metric.ListFields()]
                  == (["label"] if labels else []) + [kind], f"{family.name}: {metric}")
            value = getattr(metric, kind)
            if kind in ("summary", "histogram"):
                points = ([(point.quantile, point.value) for point in value.quantile]
                          if kind == "summary" else
                          [(point.upper_bound, point.cumulative_count) for point in value.bucket])
                add_distribution(
                    samples, family.name, kind, labels, points, value.sample_sum,
                    value.sample_count)
            else:
                add(samples, family.name, labels, value.value)
            if kind != "gauge":
                check(value.HasField("created_timestamp"), f"{family.name}: since when?")
                time = value.created_timestamp
                created[key(family.name, labels)] = time.seconds + time.nanos / 1e9
    return samples


def add_distribution(samples, name, kind, labels, points, total, count):
    """Adds what the text formats say of a summary or a histogram."""
    if kind == "histogram" and (not points or points[-1][0] != math.inf):
        points.append((math.inf, count))
    for point, value in points:
        if kind == "summary":
            add(samples, name, labels | {"quantile": str(point)}, value)
        else:
            add(samples, name + "_bucket", labels | {"le": str(point)}, value)
    check([point for point, _ in points] == sorted(point for point, _ in points), f"{name}: order")
    add(samples, name + "_sum", labels, total)
    add(samples, name + "_count", labels, count)


def read_json(page):
    samples = {}
    for family in json.loads(page):
        check(set(family) == {"name", "type", "unit", "help", "samples"}, str(set(family)))
        for sample in family["samples"]:
            points = sample.get("quantiles", sample.get("buckets"))
            if points is None:
                add(samples, family["name"], sample["labels"], float(sample["value"]))
                continue
            add_distribution(
                samples, family["name"], family["type"], sample["labels"],
                [(float(point), float(value)) for point, value in points.items()],
                float(sample["sum"]), sample["count"])
    return samples


def varies(name):
    """Whether a value differs between two moments."""
    return name.startswith("procvitals_") and "duration" in name or "timestamp" in name


def main(directory):
    def page(name):
        with open(os.path.join(directory, name), "rb") as file:
            return file.read()

    told, stamped = {}, {}
    pages = {
        "text": read_text(page("text").decode()),
        "openmetrics": read_openmetrics(page("openmetrics").decode()),
        "protobuf": read_protobuf(page("protobuf"), directory, stamped),
    }
    readers = {
        "text-1.0.0": lambda page: read_text(page.decode()),
        "openmetrics-0.0.1": lambda page: read_openmetrics(page.decode()),
        "json": read_json,
        "openmetrics-created": lambda page: read_openmetrics(page.decode(), told),
    }
    for name, reader in readers.items():
        if os.path.exists(os.path.join(directory, name)):
            pages[name] = reader(page(name))
    if "openmetrics-created" in pages:
        check(told.keys() == stamped.keys(), "other counters tell since when they count")
        for series, since in told.items():
            if not series[0].startswith("procvitals_"):
                check(abs(since - stamped.get(series, 0)) < 0.002, f"{series}: {since}")
    text = pages["text"]
    check(len(text) > 20, f"{len(text)} samples only")
    for name, samples in pages.items():
        check(len(samples) == len(text), f"{name} has {len(samples)} samples, text {len(text)}")
        for series in samples.keys() ^ text.keys():
            check(False, f"only in one of {name} and text: {series}")
        for series in samples.keys() & text.keys():
            same = samples[series] == text[series] or (
                math.isnan(samples[series]) and math.isnan(text[series]))
            check(same or varies(series[0]), f"{name}: {series} is {samples[series]}, not {text[series]}")
    print(f"{len(text)} samples in {', '.join(pages)}")


main(sys.argv[1])
for problem in problems[:20]:
    print(problem)
sys.exit(1 if problems else 0)
