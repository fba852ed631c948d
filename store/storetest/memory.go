package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"tickler/store"
)

// Memory is a Backend that keeps everything in a map, for tests. An Update
// copies it all.
type Memory struct {
	writer sync.Mutex // held by an Update
	mu     sync.Mutex // guards data
	data   map[memoryKey][]byte
}

type memoryKey struct{ bucket, key string }

// NewMemory makes an empty one.
func NewMemory() *Memory { return &Memory{data: map[memoryKey][]byte{}} }

// Clone gives a copy that goes its own way.
func (m *Memory) Clone() *Memory { return &Memory{data: maps.Clone(m.now())} }

func (m *Memory) now() map[memoryKey][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.data
}

// View runs fn on what the last Update left.
func (m *Memory) View(ctx context.Context, fn func(store.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return fn(&memoryTx{data: m.now()})
}

// Update runs fn on a copy.
func (m *Memory) Update(ctx context.Context, fn func(store.Writer) error) error {
	m.writer.Lock()
	defer m.writer.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	tx := &memoryTx{data: maps.Clone(m.now())}
	if err := fn(tx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	m.data = tx.data
	m.mu.Unlock()
	return nil
}

// Close does nothing.
func (m *Memory) Close() error { return nil }

type memoryTx struct {
	data    map[memoryKey][]byte
	changes int
}

// Fork gives itself: reading changes nothing.
func (t *memoryTx) Fork() store.Reader { return t }

func (t *memoryTx) Get(bucket string, key []byte) ([]byte, error) {
	return t.data[memoryKey{bucket, string(key)}], nil
}

func (t *memoryTx) keys(bucket string, from, to []byte) []string {
	var out []string
	for k := range t.data {
		if k.bucket == bucket && k.key >= string(from) && (to == nil || k.key < string(to)) {
			out = append(out, k.key)
		}
	}
	slices.Sort(out)
	return out
}

func (t *memoryTx) Scan(bucket string, from, to []byte, fn func(key, value []byte) error) error {
	for {
		before, done := t.changes, true
		for _, k := range t.keys(bucket, from, to) {
			if err := fn([]byte(k), t.data[memoryKey{bucket, k}]); err != nil {
				return err
			}
			if t.changes != before {
				from, done = append([]byte(k), 0), false
				break
			}
		}
		if done {
			return nil
		}
	}
}

func (t *memoryTx) Last(bucket string, from, to []byte) (key, value []byte, err error) {
	keys := t.keys(bucket, from, to)
	if len(keys) == 0 {
		return nil, nil, nil
	}
	k := keys[len(keys)-1]
	return []byte(k), t.data[memoryKey{bucket, k}], nil
}

func (t *memoryTx) Put(bucket string, key, value []byte) error {
	if len(key) == 0 {
		return errors.New("the key is empty")
	}
	t.changes++
	t.data[memoryKey{bucket, string(key)}] = value
	return nil
}

func (t *memoryTx) Delete(bucket string, key []byte) error {
	if len(key) == 0 {
		return errors.New("the key is empty")
	}
	t.changes++
	delete(t.data, memoryKey{bucket, string(key)})
	return nil
}
