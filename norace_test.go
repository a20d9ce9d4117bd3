//go:build !race

package fastness_test

const raceEnabled = false
