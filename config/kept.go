package config

import "log/slog"

// kept fills in the generated secrets of a configuration that follows another
// one. What is in force is not made again where its file is gone, since that
// would end every login and invite: a disk may only be away for a moment.
type kept struct {
	last, next *Config
	gone, made []string // the files that are not there, and those that were not
}

// fill fills the secrets of next in.
func (k *kept) fill() error { return k.next.fill(k.missing) }

// missing is a secret without a file: the one in force, else a new one.
func (k *kept) missing(s stateSecret) (string, error) {
	if text := k.last.generated[s.name]; text != "" && k.last.StateDir == k.next.StateDir {
		k.gone = append(k.gone, k.next.statePath(s))
		return text, nil
	}
	text, err := k.next.makeSecret(s)
	if err == nil {
		k.made = append(k.made, k.next.statePath(s))
	}
	return text, err
}

// log says what was done.
func (k *kept) log(log *slog.Logger) {
	for _, path := range k.gone {
		log.Warn("the file of a generated secret is gone: the secret stays in force until the next start, which makes another if it still is", "file", path)
	}
	for _, path := range k.made {
		log.Info("a secret was made", "file", path)
	}
}
