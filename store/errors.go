package store

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	// ErrNoStore says that there is no database, or an empty file where it
	// should be. Only creating one makes one: run init, or restore a backup.
	ErrNoStore = errors.New("no store")

	// ErrEmpty is the ErrNoStore of an empty file: what was in it is lost.
	ErrEmpty = fmt.Errorf("%w in it", ErrNoStore)

	// ErrLocked says that another process, or another handle of this one,
	// holds the store.
	ErrLocked = errors.New("the store is held by another process")

	// ErrCorrupt says that what was read is not what was written. Nothing of
	// it was served. Restore the newest good backup.
	ErrCorrupt = errors.New("the store is damaged")

	// ErrNewer says that a newer program wrote the store.
	ErrNewer = errors.New("the store was written by a newer version of tickler")

	// ErrOlder says that an older program wrote the store, whose records have to
	// be migrated first.
	ErrOlder = errors.New("the store was written by an older version of tickler, and was not migrated")

	// ErrNotFound says that nothing is kept under the name.
	ErrNotFound = errors.New("not found")

	// ErrOutcomeUnknown says that a commit failed and may have happened all
	// the same. The Store refuses all further work: reopen it, look, and do
	// again what is missing.
	ErrOutcomeUnknown = errors.New("the outcome of the last change is unknown; reopen the store")

	// ErrNoSpace says that a change was not made, since the disk has no room
	// for it. The Store goes on: free some space and make the change again.
	ErrNoSpace = errors.New("no room on the disk; nothing was changed")

	// ErrReplaced says that the store's file was moved, removed or replaced
	// while it was open. What would be written now, nobody would find.
	ErrReplaced = errors.New("the store's file was replaced while it was open; restart on the right one")
)

// Damage is an ErrCorrupt that names the record.
type Damage struct {
	Bucket string // as in layout.go; "" where the damage is not of one record
	Key    []byte
	Reason string // in plain words
}

// Error names the kind of record, its key as text where it is text, and what
// is wrong with it.
func (d *Damage) Error() string {
	var b strings.Builder
	b.WriteString(ErrCorrupt.Error())
	if d.Bucket != "" {
		fmt.Fprintf(&b, ": %s %s", bucketTitle(d.Bucket), keyText(d.Key))
	}
	b.WriteString(": ")
	b.WriteString(d.Reason)
	return b.String()
}

// Is makes a Damage an ErrCorrupt.
func (d *Damage) Is(target error) bool { return target == ErrCorrupt }

func damaged(bucket string, key []byte, format string, args ...any) error {
	return &Damage{Bucket: bucket, Key: append([]byte(nil), key...), Reason: fmt.Sprintf(format, args...)}
}

// keyText shows a key to people: printable text as it is, other bytes as hex.
func keyText(key []byte) string {
	if utf8.Valid(key) && !strings.ContainsFunc(string(key), func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Sprintf("%q", key)
	}
	return fmt.Sprintf("0x%x", key)
}
