package main

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"icebox/config"
)

// newLogger makes the logger that the whole process uses, from the keys log.*.
// The level can change later, through the returned variable; the format can't.
func newLogger(w io.Writer, cfg config.Log) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(logLevel(cfg))
	opt := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" || cfg.Format != "text" && !isTerminal(w) {
		return slog.New(slog.NewJSONHandler(w, opt)), level
	}
	return slog.New(slog.NewTextHandler(w, opt)), level
}

// logLevel is log.level, which config has validated.
func logLevel(cfg config.Log) slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		return slog.LevelInfo
	}
	return level
}

// isTerminal says whether a person reads what is written to w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
