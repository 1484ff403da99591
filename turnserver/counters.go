package turnserver

import "sync/atomic"

// drop is why a packet was not passed on.
type drop int

// The causes, in the order of their names. Those of datagrams that got to no
// session are pathLosses.
const (
	dropExpired      drop = iota // the session's time is over
	dropNoPermission             // no permission for the peer, or it has ended
	dropNoChannel                // no such channel, or it has ended
	dropNoRelay                  // an address of this box's relays, and no live relay there
	dropFamily                   // no relay of the peer's family
	dropBandwidth                // over the user's bandwidth
	dropTooBig                   // does not fit the client's transport, or the path with DONT-FRAGMENT
	dropSlowClient               // the client's stream does not take it
	dropSendError                // the kernel refused it
	dropNoBuffer                 // the kernel had no room: the link is full
	dropMalformed                // a Send indication or ChannelData that is not sound
	dropCauses
)

var dropNames = [dropCauses]string{
	"expired", "no-permission", "no-channel", "no-relay", "family",
	"bandwidth", "too-big", "slow-client", "send-error", "no-buffer", "malformed",
}

// counters count what was relayed, from client to peer (up) and back (down), in
// datagrams and in bytes of their payload, and what was not.
type counters struct {
	upPackets, upBytes     atomic.Uint64
	downPackets, downBytes atomic.Uint64
	drops                  [dropCauses]atomic.Uint64
}

func (c *counters) up(packets, size int) {
	c.upPackets.Add(uint64(packets))
	c.upBytes.Add(uint64(size))
}

func (c *counters) down(packets, size int) {
	c.downPackets.Add(uint64(packets))
	c.downBytes.Add(uint64(size))
}

func (c *counters) drop(why drop) { c.drops[why].Add(1) }

// merge adds what o has counted.
func (c *counters) merge(o *counters) {
	c.upPackets.Add(o.upPackets.Load())
	c.upBytes.Add(o.upBytes.Load())
	c.downPackets.Add(o.downPackets.Load())
	c.downBytes.Add(o.downBytes.Load())
	for i := range o.drops {
		c.drops[i].Add(o.drops[i].Load())
	}
}
