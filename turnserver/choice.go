package turnserver

import (
	"log/slog"

	"icebox/config"
)

// PathInfo says which data path carries packets, and why.
type PathInfo struct {
	// Name is plain or batch.
	Name string
	// Trains says whether runs of packets leave as one, with UDP_SEGMENT.
	Trains bool
	// Reason is for people to read: why this one, and what it can't do.
	Reason string
}

// Reasons to take the plain path.
const (
	reasonConfigured = "turn.relay.datapath says so"
	reasonSystem     = "batch is there on Linux only"
)

// String is a line for people.
func (i PathInfo) String() string {
	if i.Trains {
		return i.Name + ", with trains (UDP_SEGMENT): " + i.Reason
	}
	return i.Name + ": " + i.Reason
}

func (i PathInfo) log(log *slog.Logger) {
	log.Info("data path chosen", "datapath", i.Name, "trains", i.Trains, "reason", i.Reason)
}

// ChoosePath says which data path a box with this configuration has on this host.
// Batch is tried out on loopback where it could be. An error says why the one
// that was asked for can't be had.
func ChoosePath(relay config.Relay) (PathInfo, error) {
	if relay.DataPath == "plain" {
		return PathInfo{Name: "plain", Reason: reasonConfigured}, nil
	}
	return chooseBatch(relay.DataPath == "auto")
}

// newPath makes the path that ChoosePath names.
func newPath(relay config.Relay, log *slog.Logger) (path, PathInfo, error) {
	info, err := ChoosePath(relay)
	if err != nil {
		return nil, PathInfo{}, err
	}
	if info.Name == "plain" {
		return newPlain(log), info, nil
	}
	p, err := newBatch(relay.Pin, info.Trains, log)
	return p, info, err
}

// Path says which data path carries packets. Trains can end while it runs.
func (s *Server) Path() PathInfo {
	info := s.chosen
	if info.Trains && !s.path.trains() {
		info.Trains, info.Reason = false, "the kernel has refused trains while the box ran"
	}
	return info
}
