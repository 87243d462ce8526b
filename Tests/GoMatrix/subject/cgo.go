//go:build cgo

package main

// static int one(void) { return 1; }
import "C"

func init() {
	callC = func(n int) {
		for i := 0; i < n; i++ {
			C.one()
		}
	}
	callC(1)
}
