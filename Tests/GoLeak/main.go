// A Go program that leaks: each step leaves goroutines that wait for ever, and bytes that a map keeps.
//
// leak GOROUTINES BYTES: that many of each in a second.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

const steps = 20

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: leak GOROUTINES BYTES")
		os.Exit(2)
	}
	var rates [2]int
	for i, text := range os.Args[1:] {
		rate, err := strconv.Atoi(text)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		rates[i] = rate
	}
	kept := map[int][]byte{}
	never := make(chan bool)
	for range time.Tick(time.Second / steps) {
		for i := 0; i < rates[0]/steps; i++ {
			go func() { <-never }()
		}
		piece := make([]byte, rates[1]/steps)
		for i := 0; i < len(piece); i += 4096 {
			piece[i] = 1
		}
		kept[len(kept)] = piece
	}
}
