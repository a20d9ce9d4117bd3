//go:build race

package pubsub_test

// raceDetector is set where nothing takes its usual time.
const raceDetector = true
