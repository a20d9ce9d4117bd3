//go:build race

package fastness_test

// raceEnabled says that memory is not what it is without the race detector.
const raceEnabled = true
