package signaling

import "sync/atomic"

// history is what was last sent to one member, for when it comes back. The room's
// lock guards it.
type history struct {
	items []item // in the order of their seq, without a gap
	bytes int64
}

// add keeps it, and lets go of the oldest over limit bytes.
func (h *history) add(it item, limit int64, total *atomic.Int64) {
	h.items = append(h.items, it)
	h.bytes += int64(it.size())
	total.Add(int64(it.size()))
	h.cut(limit, total)
}

// cut lets go of the oldest over limit bytes.
func (h *history) cut(limit int64, total *atomic.Int64) {
	n := 0
	for over := h.bytes; over > limit && n < len(h.items); n++ {
		over -= int64(h.items[n].size())
	}
	h.drop(n, total)
}

// forget lets go of everything up to seq, which the member has.
func (h *history) forget(seq uint64, total *atomic.Int64) {
	n := 0
	for n < len(h.items) && h.items[n].seq <= seq {
		n++
	}
	h.drop(n, total)
}

// drop lets go of the n oldest.
func (h *history) drop(n int, total *atomic.Int64) {
	before := h.bytes
	for i := range n {
		h.bytes -= int64(h.items[i].size())
		h.items[i] = item{}
	}
	total.Add(h.bytes - before)
	if h.items = h.items[n:]; len(h.items) == 0 {
		h.items = nil
	}
}

// covers says whether everything after seq is still there, where last is the
// latest of all. Nothing covers a seq that was never sent.
func (h *history) covers(seq, last uint64) bool {
	return seq <= last && last-seq <= uint64(len(h.items))
}
