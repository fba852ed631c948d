package store

import "context"

// Backend is an ordered key-value store with transactions: all that a Store
// needs of a database. Keys live in buckets; within one they are ordered by
// their bytes. A bucket needs no making: one that holds nothing is empty.
//
// Many Views run side by side, each on one unchanging state. Updates run one
// after the other. A transaction belongs to the goroutine that runs fn and
// ends with fn. An Update or View within another of the same goroutine may
// wait for ever.
//
// Every value is a sealed record (seal.go), and a backend may prove it with
// VerifyRecord. Where it finds damage the error is an ErrCorrupt.
type Backend interface {
	// View runs fn on a state that does not change. It gives fn's error.
	View(ctx context.Context, fn func(Reader) error) error

	// Update runs fn and commits what it wrote. If fn fails or panics nothing
	// of it remains, the lock is free, and Update gives fn's error or goes on
	// panicking. A backend may run fn again after a conflict, so fn must do
	// nothing outside the transaction that cannot be done twice. Where a
	// commit failed and may yet have happened the error is ErrOutcomeUnknown.
	Update(ctx context.Context, fn func(Writer) error) error

	// Close waits for the transactions at work and gives up the store.
	Close() error
}

// Backuper is a Backend that can copy itself while it is at work.
type Backuper interface {
	// Backup writes a complete, verified copy under path. Either the whole
	// file is there under that name when it returns nil, or nothing is.
	Backup(ctx context.Context, path string) error
}

// Checker is a Backend that can look for damage below the records.
type Checker interface {
	// CheckPages calls report for each fault of the database file itself.
	CheckPages(ctx context.Context, report func(error)) error
}

// Stater is a Backend that can say early that it must not be used any more,
// because its file was replaced, say.
type Stater interface {
	Err() error
}

// Shedder is a Backend that can give up memory which holds what it has read.
type Shedder interface {
	Shed() error
}

// Reader reads one state of the store.
type Reader interface {
	// Get gives the value of a key, nil where there is none. The value must
	// not be changed, and is valid until the transaction ends.
	Get(bucket string, key []byte) ([]byte, error)

	// Scan calls fn for the keys in [from, to) in the order of their bytes;
	// to nil is the end of the bucket. Key and value must not be changed and
	// are valid within the call only. fn may write: a key put or deleted
	// ahead of the current one is seen or not seen accordingly, and the scan
	// goes on with the next key that is there. fn's error ends the scan and
	// is given back.
	Scan(bucket string, from, to []byte, fn func(key, value []byte) error) error

	// Last gives the greatest key in [from, to) and its value, both nil where
	// there is none; to nil is the end of the bucket. Both are valid until
	// the transaction ends or writes.
	Last(bucket string, from, to []byte) (key, value []byte, err error)
}

// Writer reads and changes the state that a transaction will leave.
type Writer interface {
	Reader

	// Put sets a key, which is not empty. The key is copied; the value
	// belongs to the store from here on and must not be changed.
	Put(bucket string, key, value []byte) error

	// Delete removes a key. One that is not there is no error.
	Delete(bucket string, key []byte) error
}

// Forker is a Writer that can be read by several goroutines while none writes.
type Forker interface {
	// Fork gives a Reader of the state as the transaction has it, for one
	// other goroutine. It is valid until the transaction writes or ends.
	Fork() Reader
}
