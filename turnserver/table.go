package turnserver

import "sync"

const tableShards = 64

// table finds the session of a 5-tuple. It is cut in shards, each with a lock of
// its own, so that the listeners do not wait for one another.
type table struct {
	shards [tableShards]tableShard
}

type tableShard struct {
	mu       sync.RWMutex // guards sessions
	sessions map[tuple]*session
}

func (t *table) shard(key tuple) *tableShard {
	return &t.shards[key.spread()%tableShards]
}

// get is the session of a 5-tuple, or nil.
func (t *table) get(key tuple) *session {
	shard := t.shard(key)
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	return shard.sessions[key]
}

// add enters a session, and fails where its 5-tuple has one.
func (t *table) add(s *session) bool {
	shard := t.shard(s.tuple)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.sessions[s.tuple] != nil {
		return false
	}
	if shard.sessions == nil {
		shard.sessions = make(map[tuple]*session)
	}
	shard.sessions[s.tuple] = s
	return true
}

// remove takes just this session out.
func (t *table) remove(s *session) {
	shard := t.shard(s.tuple)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.sessions[s.tuple] == s {
		delete(shard.sessions, s.tuple)
	}
}

// all are the sessions of now, in no order.
func (t *table) all() []*session {
	var all []*session
	for i := range t.shards {
		shard := &t.shards[i]
		shard.mu.RLock()
		for _, s := range shard.sessions {
			all = append(all, s)
		}
		shard.mu.RUnlock()
	}
	return all
}
