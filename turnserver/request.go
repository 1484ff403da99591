package turnserver

import (
	"net/netip"

	"github.com/pion/stun/v2"
)

// The methods that the box answers, as indices.
const (
	methodBinding = iota
	methodAllocate
	methodRefresh
	methodCreatePermission
	methodChannelBind
	methods
)

var methodNames = [methods]string{"binding", "allocate", "refresh", "create-permission", "channel-bind"}

func methodIndex(m stun.Method) (int, bool) {
	switch m {
	case stun.MethodBinding:
		return methodBinding, true
	case stun.MethodAllocate:
		return methodAllocate, true
	case stun.MethodRefresh:
		return methodRefresh, true
	case stun.MethodCreatePermission:
		return methodCreatePermission, true
	case stun.MethodChannelBind:
		return methodChannelBind, true
	}
	return 0, false
}

// request is one request on its way through the rules, and what they have found
// out about it.
type request struct {
	*message
	*origin
	guard    *guard
	settings *settings
	now      instant
	session  *session // of this 5-tuple, or nil

	user          identity
	authenticated bool
	paid          bool // an answer to a stranger has been paid for

	want    wanted           // Allocate and Refresh
	peers   []netip.AddrPort // CreatePermission and ChannelBind
	channel uint16           // ChannelBind
}
