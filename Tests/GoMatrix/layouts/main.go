// Reads where the Go runtime keeps what procvitals needs from the DWARF of programs that were built
// with each toolchain, and writes Sources/GoRuntime/Layouts.swift.
//
//	go run . FILE... > Layouts.swift
//
// Each FILE is a program with debug information; the version and the machine are in it.
package main

import (
	"debug/buildinfo"
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// A number of the table: the offset of a field in a type, or the size of a type.
type entry struct {
	name string
	// "type.field.field"; "sizeof type". Several: the first that exists.
	paths []string
	what  string
}

var entries = []entry{
	{"deltaSize", []string{"sizeof heapStatsDelta"}, "Size of one of the three entries of memstats.heapStats."},
	{"committed", []string{"heapStatsDelta.committed"}, ""},
	{"released", []string{"heapStatsDelta.released"}, ""},
	{"inHeap", []string{"heapStatsDelta.inHeap"}, ""},
	{"inStacks", []string{"heapStatsDelta.inStacks"}, ""},
	{"inWorkBufs", []string{"heapStatsDelta.inWorkBufs"}, ""},
	{"inPointerScalarBits", []string{"heapStatsDelta.inPtrScalarBits"}, "Until 1.24."},
	{"tinyAllocCount", []string{"heapStatsDelta.tinyAllocCount"}, ""},
	{"largeAlloc", []string{"heapStatsDelta.largeAlloc"}, ""},
	{"largeAllocCount", []string{"heapStatsDelta.largeAllocCount"}, ""},
	{"smallAllocCount", []string{"heapStatsDelta.smallAllocCount"}, "An array, one for each size class."},
	{"largeFree", []string{"heapStatsDelta.largeFree"}, ""},
	{"largeFreeCount", []string{"heapStatsDelta.largeFreeCount"}, ""},
	{"smallFreeCount", []string{"heapStatsDelta.smallFreeCount"}, "An array, one for each size class."},

	{"memstatsSize", []string{"sizeof mstats"}, ""},
	{"generation", []string{"mstats.heapStats.gen"}, ""},
	{"stacksSys", []string{"mstats.stacks_sys"}, ""},
	{"mspanSys", []string{"mstats.mspan_sys"}, ""},
	{"mcacheSys", []string{"mstats.mcache_sys"}, ""},
	{"buckHashSys", []string{"mstats.buckhash_sys"}, ""},
	{"gcMiscSys", []string{"mstats.gcMiscSys"}, ""},
	{"otherSys", []string{"mstats.other_sys"}, ""},
	{"lastGC", []string{"mstats.last_gc_unix"}, "Nanoseconds since 1970."},
	{"pauseTotal", []string{"mstats.pause_total_ns"}, ""},
	{"pauses", []string{"mstats.pause_ns"}, "An array of 256."},
	{"numGC", []string{"mstats.numgc"}, ""},
	{"numForcedGC", []string{"mstats.numforcedgc"}, ""},
	{"gcCPUFraction", []string{"mstats.gc_cpu_fraction"}, "A double."},

	{"spanAllocSize", []string{"mheap.spanalloc.size"}, ""},
	{"spanAllocInUse", []string{"mheap.spanalloc.inuse"}, ""},
	{"spanAllocStat", []string{"mheap.spanalloc.stat"}, ""},
	{"cacheAllocSize", []string{"mheap.cachealloc.size"}, ""},
	{"cacheAllocInUse", []string{"mheap.cachealloc.inuse"}, ""},
	{"cacheAllocStat", []string{"mheap.cachealloc.stat"}, ""},
	{"mspanSize", []string{"sizeof mspan"}, ""},
	{"mcacheSize", []string{"sizeof mcache"}, ""},
	{"mcacheAlloc", []string{"mcache.alloc"}, "An array of 136 pointers."},

	{"controllerSize", []string{"sizeof gcControllerState"}, ""},
	{"gcPercent", []string{"gcControllerState.gcPercent"}, "32 bits."},
	{"memoryLimit", []string{"gcControllerState.memoryLimit"}, ""},
	{"gcPercentHeapGoal", []string{"gcControllerState.gcPercentHeapGoal"}, ""},
	{"sweepDistanceMinTrigger", []string{"gcControllerState.sweepDistMinTrigger"}, ""},
	{"triggered", []string{"gcControllerState.triggered"}, ""},
	{"heapMarked", []string{"gcControllerState.heapMarked"}, ""},
	{"heapInUse", []string{"gcControllerState.heapInUse"}, ""},
	{"heapReleased", []string{"gcControllerState.heapReleased"}, ""},
	{"heapFree", []string{"gcControllerState.heapFree"}, ""},
	{"totalAlloc", []string{"gcControllerState.totalAlloc"}, ""},
	{"totalFree", []string{"gcControllerState.totalFree"}, ""},
	{"mappedReady", []string{"gcControllerState.mappedReady"}, ""},

	{"schedSize", []string{"sizeof schedt"}, ""},
	{"goroutineIDs", []string{"schedt.goidgen"}, ""},
	{"lastPoll", []string{"schedt.lastpoll"}, ""},
	{"idleM", []string{"schedt.midle"}, ""},
	{"idleMCount", []string{"schedt.nmidle"}, "32 bits."},
	{"nextM", []string{"schedt.mnext"}, ""},
	{"maxMCount", []string{"schedt.maxmcount"}, "32 bits."},
	{"freedM", []string{"schedt.nmfreed"}, ""},
	{"systemG", []string{"schedt.ngsys"}, "32 bits."},
	{"idleP", []string{"schedt.pidle"}, ""},
	{"idlePCount", []string{"schedt.npidle"}, "32 bits."},
	{"freeG", []string{"schedt.gFree.n", "schedt.gFree.stack.size"}, "32 bits."},
	{"freeGWithoutStack", []string{"schedt.gFree.noStack.size"}, "32 bits, since 1.25; before, freeG is both."},
	{"procResizeTime", []string{"schedt.procresizetime"}, ""},
	{"timeToRun", []string{"schedt.timeToRun"}, "A time histogram."},
	{"stwTotalTimeGC", []string{"schedt.stwTotalTimeGC"}, "A time histogram, since 1.22."},
	{"timeHistogramSize", []string{"sizeof timeHistogram"}, ""},
	{"cpuStats", []string{"workType.cpuStats"}, "Moves between patch releases: only a hint."},

	{"pID", []string{"p.id"}, "32 bits."},
	{"pStatus", []string{"p.status"}, "32 bits."},
	{"pCache", []string{"p.mcache"}, ""},
	{"pFreeG", []string{"p.gFree.n", "p.gFree.size"}, "32 bits."},

	{"gStatus", []string{"g.atomicstatus"}, "32 bits."},
	{"gID", []string{"g.goid"}, ""},
	{"mAllLink", []string{"m.alllink"}, ""},
	{"mCgoCalls", []string{"m.ncgocall"}, ""},
	{"mAllPSnapshot", []string{"m.allpSnapshot"}, "Added within 1.24."},
}

// The number, or nil where this version has no such field.
func find(types map[string]*dwarf.StructType, path string) *int64 {
	if name, isSize := strings.CutPrefix(path, "sizeof "); isSize {
		if t := types[name]; t != nil {
			return &t.ByteSize
		}
		return nil
	}
	parts := strings.Split(path, ".")
	t, offset := types[parts[0]], int64(0)
	for _, part := range parts[1:] {
		if t == nil {
			return nil
		}
		var field *dwarf.StructField
		for _, candidate := range t.Field {
			if candidate.Name == part {
				field = candidate
			}
		}
		if field == nil {
			return nil
		}
		offset += field.ByteOffset
		inner := field.Type
		for {
			named, isNamed := inner.(*dwarf.TypedefType)
			if !isNamed {
				break
			}
			inner = named.Type
		}
		t, _ = inner.(*dwarf.StructType)
	}
	return &offset
}

type layout struct {
	minor   int
	machine string
	version string
	values  []string
}

func read(path string) layout {
	info, err := buildinfo.ReadFile(path)
	check(err)
	version := regexp.MustCompile(`^go1\.(\d+)`).FindStringSubmatch(info.GoVersion)
	minor, err := strconv.Atoi(version[1])
	check(err)
	file, err := elf.Open(path)
	check(err)
	machine := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[file.Machine]
	data, err := file.DWARF()
	check(err)

	types := map[string]*dwarf.StructType{}
	reader := data.Reader()
	for {
		item, err := reader.Next()
		check(err)
		if item == nil {
			break
		}
		name, _ := item.Val(dwarf.AttrName).(string)
		short, isRuntime := strings.CutPrefix(name, "runtime.")
		if item.Tag == dwarf.TagStructType && isRuntime {
			t, err := data.Type(item.Offset)
			check(err)
			types[short], _ = t.(*dwarf.StructType)
		}
		if item.Tag != dwarf.TagCompileUnit {
			reader.SkipChildren()
		}
	}

	result := layout{minor: minor, machine: machine, version: info.GoVersion}
	for _, e := range entries {
		value := "absent"
		for _, path := range e.paths {
			if found := find(types, path); found != nil {
				value = strconv.FormatInt(*found, 10)
				break
			}
		}
		result.values = append(result.values, value)
	}
	return result
}

func main() {
	var layouts []layout
	for _, path := range os.Args[1:] {
		layouts = append(layouts, read(path))
	}
	sort.SliceStable(layouts, func(i, j int) bool {
		if layouts[i].minor != layouts[j].minor {
			return layouts[i].minor < layouts[j].minor
		}
		return layouts[i].machine < layouts[j].machine
	})

	fmt.Print(`// Made by make go-layouts from the debug information of Go's own toolchains; do not edit.

/// A number of a layout: where a field of the Go runtime lies in its structure, or a structure's size.
///
/// In bytes. Fields are 64 bits wide unless said otherwise.
enum Field: Int, CaseIterable {
`)
	for _, e := range entries {
		line := "`" + strings.Join(e.paths, "`, later `") + "`. " + e.what
		if name, isSize := strings.CutPrefix(e.paths[0], "sizeof "); isSize {
			line = "Size of `" + name + "`. " + e.what
		}
		fmt.Printf("  /// %s\n", strings.TrimSpace(line))
		fmt.Printf("  case %s\n", e.name)
	}
	fmt.Print("}\n\nextension Layout {\n")
	fmt.Print("  /// One for each minor version and machine, by version.\n")
	fmt.Print("  static let all: [Layout] = [\n")
	for _, l := range layouts {
		fmt.Printf("    // %s\n", l.version)
		fmt.Printf("    Layout(\n      minor: %d, machine: .%s,\n      values: [\n", l.minor, l.machine)
		line := "       "
		for _, value := range l.values {
			if len(line)+len(value)+2 > 100 {
				fmt.Println(line)
				line = "       "
			}
			line += " " + value + ","
		}
		fmt.Println(line)
		fmt.Print("      ]),\n")
	}
	fmt.Print("  ]\n}\n")
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
