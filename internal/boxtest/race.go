//go:build race

package boxtest

const raceDetector = true
