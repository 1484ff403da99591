//go:build !linux

package natlab

import "errors"

// namespace is never made here: New skips.
type namespace struct{}

var errNotLinux = errors.New("network namespaces need Linux")

func newNamespace() (*namespace, error)       { return nil, errNotLinux }
func (n *namespace) path() string             { return "" }
func (n *namespace) do(fn func() error) error { return errNotLinux }
func (n *namespace) close() error             { return nil }
