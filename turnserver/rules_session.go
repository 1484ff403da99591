package turnserver

import (
	"encoding/binary"

	"github.com/pion/stun/v2"
)

func checkSession(r *request) *refusal {
	if r.session != nil && !r.session.over() && !r.session.expires.passed(r.now) {
		return nil
	}
	return refuse(stun.CodeAllocMismatch)
}

func checkRefreshFamily(r *request) *refusal {
	if !r.has(attrRequestedFamily) {
		return nil
	}
	family, ok := r.family(attrRequestedFamily)
	if !ok || r.session.relays[familyIndex(family)].Load() == nil {
		return refuse(stun.CodePeerAddrFamilyMismatch)
	}
	r.want.families = []byte{family}
	return nil
}

func checkPeers(r *request) *refusal {
	peers, ok := r.peerAddresses()
	if !ok || len(peers) == 0 {
		return refuse(stun.CodeBadRequest)
	}
	r.peers = peers
	return nil
}

func checkChannel(r *request) *refusal {
	number := r.sized(attrChannelNumber, 4)
	peer, ok := r.peerAddress()
	if number == nil || !ok || peer.Port() == 0 || number[0] < 0x40 || number[0] > 0x4F {
		return refuse(stun.CodeBadRequest)
	}
	r.channel = binary.BigEndian.Uint16(number)
	r.peers = append(r.peers, peer)
	return nil
}

func checkPeerFamily(r *request) *refusal {
	for _, p := range r.peers {
		if r.session.relayFor(p.Addr()) == nil {
			return refuse(stun.CodePeerAddrFamilyMismatch)
		}
	}
	return nil
}

func checkConflict(r *request) *refusal {
	if r.session.conflict(r.channel, r.peers[0]) {
		return refuse(stun.CodeBadRequest)
	}
	return nil
}

// checkPolicy forbids peers that nobody may reach through the box. The address
// of the box's own relays is not forbidden: what is no live relay there is
// dropped on the data path.
func checkPolicy(r *request) *refusal {
	for _, p := range r.peers {
		if !r.guard.isOwn(p.Addr()) && !r.settings.policy.permits(p.Addr()) {
			return refuse(stun.CodeForbidden)
		}
	}
	return nil
}

func checkOwnRelay(r *request) *refusal {
	p := r.peers[0]
	if r.guard.isOwn(p.Addr()) && r.guard.relays.find(p) == nil {
		return refuse(stun.CodeForbidden)
	}
	return nil
}

func checkRoom(r *request) *refusal {
	if r.session.room(r.peers, r.channel) {
		return nil
	}
	return refuse(stun.CodeInsufficientCapacity)
}
