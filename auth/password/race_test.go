//go:build race

package password_test

// raceDetector is set where memory is shadowed and nothing takes its usual time.
const raceDetector = true
