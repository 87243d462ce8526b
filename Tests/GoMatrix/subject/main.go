// A Go program that tells what its own runtime says of itself, in client_golang's names, for
// comparing with what is read from outside.
//
// Commands come as lines on standard input; each is answered by a line. "take" reads everything and
// answers "taken"; "again" reads it once more and answers "same" or "different". Neither allocates
// anything, so what is read from outside between the two must be what "tell" answers, as JSON; "both"
// answers what was read both times, as an array.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var names = []string{
	"/gc/cycles/forced:gc-cycles",
	"/gc/cycles/total:gc-cycles",
	"/gc/gogc:percent",
	"/gc/gomemlimit:bytes",
	"/gc/heap/allocs:bytes",
	"/gc/heap/allocs:objects",
	"/gc/heap/frees:bytes",
	"/gc/heap/frees:objects",
	"/gc/heap/goal:bytes",
	"/gc/heap/objects:objects",
	"/gc/heap/tiny/allocs:objects",
	"/memory/classes/heap/free:bytes",
	"/memory/classes/heap/objects:bytes",
	"/memory/classes/heap/released:bytes",
	"/memory/classes/heap/stacks:bytes",
	"/memory/classes/heap/unused:bytes",
	"/memory/classes/metadata/mcache/free:bytes",
	"/memory/classes/metadata/mcache/inuse:bytes",
	"/memory/classes/metadata/mspan/free:bytes",
	"/memory/classes/metadata/mspan/inuse:bytes",
	"/memory/classes/metadata/other:bytes",
	"/memory/classes/os-stacks:bytes",
	"/memory/classes/other:bytes",
	"/memory/classes/profiling/buckets:bytes",
	"/memory/classes/total:bytes",
}

// What the runtime says at one moment.
type moment struct {
	samples    []metrics.Sample
	goroutines int
	threads    int
	processors int
}

var before, after moment

// As long as ReadGCStats wants them, so that it need not allocate.
var gc = debug.GCStats{Pause: make([]time.Duration, 0, 600), PauseEnd: make([]time.Time, 0, 300), PauseQuantiles: make([]time.Duration, 5)}

func (m *moment) take() {
	m.goroutines = runtime.NumGoroutine()
	m.threads, _ = runtime.ThreadCreateProfile(nil)
	m.processors = runtime.GOMAXPROCS(0)
	metrics.Read(m.samples)
}

func (m *moment) cycles() uint64 {
	for _, s := range m.samples {
		if s.Name == "/gc/cycles/total:gc-cycles" {
			return s.Value.Uint64()
		}
	}
	return 0
}

func isSame() bool {
	for i, s := range before.samples {
		if s.Value.Kind() == metrics.KindUint64 && s.Value.Uint64() != after.samples[i].Value.Uint64() {
			return false
		}
	}
	return before.goroutines == after.goroutines && before.threads == after.threads &&
		before.processors == after.processors
}

func (m *moment) tell() map[string]interface{} {
	values := map[string]uint64{}
	for _, s := range m.samples {
		if s.Value.Kind() == metrics.KindUint64 {
			values[s.Name] = s.Value.Uint64()
		}
	}
	class := func(names ...string) (sum uint64) {
		for _, name := range names {
			sum += values["/memory/classes/"+name+":bytes"]
		}
		return
	}
	tiny := values["/gc/heap/tiny/allocs:objects"]
	report := map[string]interface{}{
		"go_goroutines":                    m.goroutines,
		"go_threads":                       m.threads,
		"go_sched_gomaxprocs_threads":      m.processors,
		"go_gc_cycles_total":               values["/gc/cycles/total:gc-cycles"],
		"go_memstats_alloc_bytes":          class("heap/objects"),
		"go_memstats_alloc_bytes_total":    values["/gc/heap/allocs:bytes"],
		"go_memstats_sys_bytes":            class("total"),
		"go_memstats_mallocs_total":        values["/gc/heap/allocs:objects"] + tiny,
		"go_memstats_frees_total":          values["/gc/heap/frees:objects"] + tiny,
		"go_memstats_heap_alloc_bytes":     class("heap/objects"),
		"go_memstats_heap_sys_bytes":       class("heap/objects", "heap/unused", "heap/released", "heap/free"),
		"go_memstats_heap_idle_bytes":      class("heap/released", "heap/free"),
		"go_memstats_heap_inuse_bytes":     class("heap/objects", "heap/unused"),
		"go_memstats_heap_released_bytes":  class("heap/released"),
		"go_memstats_heap_objects":         values["/gc/heap/objects:objects"],
		"go_memstats_stack_inuse_bytes":    class("heap/stacks"),
		"go_memstats_stack_sys_bytes":      class("heap/stacks", "os-stacks"),
		"go_memstats_mspan_inuse_bytes":    class("metadata/mspan/inuse"),
		"go_memstats_mspan_sys_bytes":      class("metadata/mspan/inuse", "metadata/mspan/free"),
		"go_memstats_mcache_inuse_bytes":   class("metadata/mcache/inuse"),
		"go_memstats_mcache_sys_bytes":     class("metadata/mcache/inuse", "metadata/mcache/free"),
		"go_memstats_buck_hash_sys_bytes":  class("profiling/buckets"),
		"go_memstats_gc_sys_bytes":         class("metadata/other"),
		"go_memstats_other_sys_bytes":      class("other"),
		"go_memstats_next_gc_bytes":        values["/gc/heap/goal:bytes"],
		"go_gc_duration_seconds_sum":       gc.PauseTotal.Nanoseconds(),
		"go_gc_duration_seconds_count":     gc.NumGC,
		"go_gc_duration_seconds":           gc.PauseQuantiles,
		"go_memstats_last_gc_time_seconds": lastGC(),
		"go_info":                          runtime.Version(),
	}
	if limit, known := values["/gc/gomemlimit:bytes"]; known {
		report["go_gc_gomemlimit_bytes"] = limit
		report["go_gc_gogc_percent"] = int64(values["/gc/gogc:percent"])
	}
	return report
}

func tell(report interface{}) string {
	line, err := json.Marshal(report)
	if err != nil {
		return err.Error()
	}
	return string(line)
}

// Nanoseconds since 1970; 0 before the first cycle.
func lastGC() int64 {
	if gc.NumGC == 0 {
		return 0
	}
	return gc.LastGC.UnixNano()
}

var held [][]byte
var stops []chan struct{}

func start(n int, body func(stop chan struct{})) {
	for i := 0; i < n; i++ {
		stop := make(chan struct{})
		stops = append(stops, stop)
		go body(stop)
	}
}

func obey(command string, number int) string {
	switch command {
	case "tell":
		return tell(before.tell())
	case "both":
		return tell([]interface{}{before.tell(), after.tell()})
	case "distributions":
		return distributions()
	case "hold": // MiB that stay
		for i := 0; i < number; i++ {
			held = append(held, make([]byte, 1<<20))
		}
	case "release":
		held = nil
	case "gc":
		for i := 0; i < number; i++ {
			runtime.GC()
		}
	case "cgo": // calls of C functions
		callC(number)
	case "free":
		debug.FreeOSMemory()
	case "procs":
		runtime.GOMAXPROCS(number)
	case "percent":
		debug.SetGCPercent(number)
	case "limit":
		debug.SetMemoryLimit(int64(number))
	case "park": // goroutines that wait
		start(number, func(stop chan struct{}) { <-stop })
	case "threads": // goroutines with a thread of their own
		start(number, func(stop chan struct{}) { runtime.LockOSThread(); <-stop })
	case "storm": // goroutines that allocate as fast as they can
		start(number, func(stop chan struct{}) {
			var keep [64][]byte
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					keep[i%64] = make([]byte, 16+i%5000)
				}
			}
		})
	case "churn": // goroutines that start others
		start(number, func(stop chan struct{}) {
			for {
				select {
				case <-stop:
					return
				default:
					done := make(chan struct{})
					go close(done)
					<-done
				}
			}
		})
	case "collect": // goroutines that collect garbage all the time
		start(number, func(stop chan struct{}) {
			for {
				select {
				case <-stop:
					return
				default:
					runtime.GC()
				}
			}
		})
	case "end": // threads that end
		for i := 0; i < number; i++ {
			done := make(chan struct{})
			go func() { runtime.LockOSThread(); close(done) }()
			<-done
		}
	case "rest": // milliseconds in which background workers come to an end
		time.Sleep(time.Duration(number) * time.Millisecond)
	case "calm":
		for _, stop := range stops {
			close(stop)
		}
		stops = nil
		time.Sleep(20 * time.Millisecond)
	default:
		return "unknown command " + command
	}
	return "done"
}

func main() {
	for _, name := range names {
		before.samples = append(before.samples, metrics.Sample{Name: name})
		after.samples = append(after.samples, metrics.Sample{Name: name})
	}
	before.take()
	after.take()
	debug.ReadGCStats(&gc)
	line := make([]byte, 256)
	taken, same, different := []byte("taken\n"), []byte("same\n"), []byte("different\n")
	for {
		n, err := os.Stdin.Read(line)
		if err != nil {
			return
		}
		switch string(line[:n]) {
		case "take\n":
			// Until no cycle has ended between the two.
			for {
				debug.ReadGCStats(&gc)
				before.take()
				if uint64(gc.NumGC) == before.cycles() {
					break
				}
			}
			os.Stdout.Write(taken)
			continue
		case "again\n":
			after.take()
			if isSame() {
				os.Stdout.Write(same)
			} else {
				os.Stdout.Write(different)
			}
			continue
		}
		words := strings.Fields(string(line[:n]))
		if len(words) == 0 {
			continue
		}
		if words[0] == "exec" {
			fmt.Println(syscall.Exec(words[1], words[1:], os.Environ()))
			continue
		}
		number := 1
		if len(words) > 1 {
			number, _ = strconv.Atoi(words[1])
		}
		fmt.Println(obey(words[0], number))
	}
}
