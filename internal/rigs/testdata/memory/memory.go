package main

import (
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
)

// tellMemory writes to the log what memory this process has, when it is sent a signal:
// SIGUSR1 as it is, SIGUSR2 after a collection and with all that is free given back.
func tellMemory() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	for s := range signals {
		if s == syscall.SIGUSR2 {
			for range 4 { // Stacks shrink by half each time.
				debug.FreeOSMemory()
			}
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		log.Info("memory", "heap", m.HeapAlloc, "stacks", m.StackInuse, "goroutines", runtime.NumGoroutine())
	}
}
