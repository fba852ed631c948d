package ledger

import "errors"

// Read reads a file, whole or not at all: the error is an *Errors with every
// mistake where the file holds any.
func Read(name string, data []byte, opt Options) (*Snapshot, error) {
	return nil, errors.New("not yet")
}
