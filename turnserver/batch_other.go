//go:build !linux

package turnserver

import (
	"errors"
	"fmt"
	"log/slog"
)

// chooseBatch takes the plain path, where that may be.
func chooseBatch(auto bool) (PathInfo, error) {
	if auto {
		return PathInfo{Name: "plain", Reason: reasonSystem}, nil
	}
	return PathInfo{}, fmt.Errorf("turn.relay.datapath: batch can't be had: %s; set it to auto or plain", reasonSystem)
}

func newBatch(bool, bool, *slog.Logger) (path, error) { return nil, errors.ErrUnsupported }
