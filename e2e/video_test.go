package e2e

import (
	"fmt"
	"testing"
	"time"
)

// How many seconds video must go on, looked at once each, and how long that may take
// to come about. Rooms are looked at several times in each test.
const (
	goesOn       = 5
	goesOnInRoom = 2
	atMost       = 90 * time.Second
)

// connection is what getStats says about one RTCPeerConnection.
type connection struct {
	Frames int  // of video decoded so far
	Video  bool // some video comes in
	Local  candidate
	Remote candidate
}

// candidate is one end of the selected pair.
type candidate struct {
	CandidateType string
	Protocol      string
	RelayProtocol string // from a local one to its relay
}

// relayed tells whether the packets take the relay of one of the two ends.
func (c connection) relayed() bool {
	return c.Local.CandidateType == "relay" || c.Remote.CandidateType == "relay"
}

func (c candidate) String() string {
	if c.RelayProtocol != "" {
		return c.CandidateType + " by " + c.RelayProtocol
	}
	return c.CandidateType + " " + c.Protocol
}

func (c connection) String() string {
	return fmt.Sprintf("%d frames, %v to %v", c.Frames, c.Local, c.Remote)
}

// statistics reads the connections that have a selected pair.
func (v *visitor) statistics() (all []connection, err error) {
	err = v.evaluate(&all, `async () => {
		const found = []
		for (const pc of `+v.connections+`) {
			if (!pc) continue
			const stats = await pc.getStats()
			const all = [...stats.values()]
			const transport = all.find(s => s.type === 'transport')
			const pair = transport ? stats.get(transport.selectedCandidatePairId)
				: all.find(s => s.type === 'candidate-pair' && s.selected) // Firefox
			if (!pair) continue
			const video = all.filter(s => s.type === 'inbound-rtp' && s.kind === 'video')
			found.push({
				Frames: video.reduce((sum, s) => sum + (s.framesDecoded ?? 0), 0),
				Video: video.length > 0,
				Local: stats.get(pair.localCandidateId),
				Remote: stats.get(pair.remoteCandidateId),
			})
		}
		return found
	}`)
	return all, err
}

// moving waits until each visitor decodes video of one connection, and goes on
// to do so for five seconds. It gives the connections, in the visitors' order.
func moving(t *testing.T, visitors ...*visitor) []connection {
	t.Helper()
	before := make([]connection, len(visitors))
	seconds := 0
	for deadline := time.Now().Add(atMost); ; time.Sleep(time.Second) {
		now, stalled := look(visitors, before)
		if stalled == "" {
			seconds++
		} else {
			seconds = 0
		}
		if seconds > goesOn { // the first look had nothing to compare with
			for i, v := range visitors {
				t.Logf("%s: %v", v.name, now[i])
			}
			return now
		}
		if time.Now().After(deadline) {
			t.Fatalf("no moving video: %s", stalled)
		}
		before = now
	}
}

// look reads everybody's one connection, and says of whom nothing new was
// decoded.
func look(visitors []*visitor, before []connection) (now []connection, stalled string) {
	now = make([]connection, len(visitors))
	for i, v := range visitors {
		all, err := v.statistics()
		if len(all) == 1 {
			now[i] = all[0]
		}
		if err != nil || !now[i].Video || now[i].Frames <= before[i].Frames {
			stalled += fmt.Sprintf("\n%s: %v (%v)\n%s", v.name, all, err, v.state())
		}
	}
	return now, stalled
}
