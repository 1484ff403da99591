package config

import (
	"context"
	"log/slog"
)

// Watch is under construction.
func Watch(ctx context.Context, path string, log *slog.Logger, apply func(*Config)) error {
	<-ctx.Done()
	return nil
}
