package bolt

import (
	"path/filepath"
	"testing"

	"tickler/store"
	"tickler/store/storetest"
)

// kept is a DB that the conformance tests can close and open again.
type kept struct{ *DB }

func (k kept) Reopen(t *testing.T) store.Backend {
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	return kept{opened(t, k.Path())}
}

// created makes an empty store; its name is Chinese and has a space.
func created(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "贷后 tickler.db")
	if err := Create(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func opened(t testing.TB, path string) *DB {
	t.Helper()
	db, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestBackend(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Backend { return kept{opened(t, created(t))} })
}
