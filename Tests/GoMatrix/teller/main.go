// A Go program that tells its own figures at /debug/vars of the address that is its argument, as one
// that imports expvar does, and at /last what it has answered there last. Other paths answer what no
// program should: /huge, /moved, /garbage and /never.
package main

import (
	"bytes"
	"expvar"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"sync"
)

var (
	lock sync.Mutex
	last []byte
)

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/vars", func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		expvar.Handler().ServeHTTP(answer, r)
		lock.Lock()
		defer lock.Unlock()
		last = answer.Body.Bytes()
		w.Write(last)
	})
	mux.HandleFunc("/last", func(w http.ResponseWriter, r *http.Request) {
		lock.Lock()
		defer lock.Unlock()
		w.Write(last)
	})
	mux.HandleFunc("/gc", func(w http.ResponseWriter, r *http.Request) {
		count, _ := strconv.Atoi(r.URL.RawQuery)
		for i := 0; i < count; i++ {
			runtime.GC()
		}
	})
	mux.HandleFunc("/huge", func(w http.ResponseWriter, r *http.Request) {
		piece := bytes.Repeat([]byte(" "), 1<<20)
		for i := 0; i < 64; i++ {
			w.Write(piece)
		}
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/debug/vars", http.StatusFound)
	})
	mux.HandleFunc("/garbage", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`{"memstats": {"Alloc": [[[[`))
	})
	mux.HandleFunc("/never", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	http.Serve(listener, mux)
}
