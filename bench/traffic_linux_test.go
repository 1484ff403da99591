package bench

import (
	"fmt"
	"strings"
	"time"
)

// The two kinds of packets: speech, and frames of video.
const (
	singleSize = 172
	trainSize  = 1200
	trainCount = 16
)

// traffic is what a generator offers.
type traffic struct {
	kind  string // singles, trains, or segmented: trains that the kernel cuts; tcp-singles, tcp-trains
	flows int
	way   string // up, down, or both
	rate  int    // packets a second, both directions together
}

func (t traffic) String() string { return fmt.Sprintf("%s/%d/%s/%d", t.kind, t.flows, t.way, t.rate) }

// shape is the payload of a packet, and how many leave at once.
func (t traffic) shape() (size, train int) {
	if strings.HasSuffix(t.kind, "singles") {
		return singleSize, 1
	}
	return trainSize, trainCount
}

// turn is the flow and the direction of the nth train: flow by flow, and where
// both directions are wanted, up and down in turn.
func (t traffic) turn(n int) (flow int, way direction) {
	switch t.way {
	case "up":
		return n % t.flows, up
	case "down":
		return n % t.flows, down
	}
	return n / 2 % t.flows, direction(n % 2)
}

// due is when the nth train has to leave.
func (t traffic) due(n int) time.Duration {
	_, train := t.shape()
	return time.Duration(float64(n) * float64(train) / float64(t.rate) * float64(time.Second))
}

// cases are what is measured unless -all is given: at least one of each kind that
// differs in what it asks of a server.
func cases() []traffic {
	return append([]traffic{
		{"singles", 20, "up", 100},
		{"singles", 20, "up", 2000},
		{"singles", 20, "up", 60000},
		{"singles", 20, "up", 150000},
		{"singles", 20, "down", 60000},
		{"singles", 20, "down", 150000},
		{"singles", 20, "both", 60000},
		{"singles", 1000, "up", 60000},
		{"singles", 1000, "down", 60000},
		{"trains", 20, "up", 2000},
		{"trains", 20, "up", 60000},
		{"trains", 20, "up", 150000},
		{"trains", 20, "up", 400000},
		{"segmented", 20, "up", 400000},
		{"trains", 20, "down", 60000},
		{"trains", 20, "down", 150000},
		{"trains", 20, "both", 60000},
		{"trains", 1000, "up", 60000},
	}, streamCases()...)
}

// everyCase is the whole matrix, one load that is more than most can carry, or
// generate, and clients over TCP.
func everyCase() (list []traffic) {
	for _, kind := range []string{"singles", "trains"} {
		for _, count := range []int{20, 1000} {
			for _, way := range []string{"up", "down", "both"} {
				for _, rate := range []int{2000, 30000, 60000, 150000} {
					list = append(list, traffic{kind, count, way, rate})
				}
			}
		}
	}
	list = append(list, traffic{"trains", 20, "up", 400000}, traffic{"segmented", 20, "up", 400000})
	return append(list, streamCases()...)
}
