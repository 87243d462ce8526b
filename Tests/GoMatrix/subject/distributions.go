package main

import (
	"encoding/json"
	"math"
	"runtime"
	"runtime/metrics"
	"strings"
)

// Calls a C function so often; set where there is C.
var callC = func(n int) {}

// What the runtime says of distributions and of CPU time, as JSON: for each histogram the buckets that
// are not empty, each with its lower bound in seconds (-1 for none) and its count, for each class of
// CPU time its seconds, and how often C functions were called.
func distributions() string {
	var samples []metrics.Sample
	for _, d := range metrics.All() {
		if d.Name == "/sched/latencies:seconds" || d.Name == "/sched/pauses/total/gc:seconds" ||
			strings.HasPrefix(d.Name, "/cpu/classes/") {
			samples = append(samples, metrics.Sample{Name: d.Name})
		}
	}
	metrics.Read(samples)
	histograms := map[string][][2]float64{}
	seconds := map[string]float64{}
	for _, s := range samples {
		if s.Value.Kind() == metrics.KindFloat64 {
			seconds[s.Name] = s.Value.Float64()
			continue
		}
		h := s.Value.Float64Histogram()
		list := [][2]float64{}
		for i, count := range h.Counts {
			if count > 0 {
				list = append(list, [2]float64{math.Max(h.Buckets[i], -1), float64(count)})
			}
		}
		histograms[s.Name] = list
	}
	line, err := json.Marshal(map[string]interface{}{
		"histograms": histograms, "seconds": seconds, "cgo": runtime.NumCgoCall()})
	if err != nil {
		return err.Error()
	}
	return string(line)
}
