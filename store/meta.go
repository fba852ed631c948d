package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"tickler/calendar"
)

// Meta is what holds for the store as a whole.
type Meta struct {
	Schema       int                      `json:"schema"`
	Program      string                   `json:"program,omitempty"` // version of the program that wrote this last
	StoreID      string                   `json:"store_id"`          // made once, by init; a copy of the file keeps it
	Created      time.Time                `json:"created"`
	GoLive       calendar.Date            `json:"go_live"`                  // of every branch
	GoLiveBranch map[string]calendar.Date `json:"go_live_branch,omitempty"` // branch id -> its own day
	BusinessDate calendar.Date            `json:"business_date"`            // the highest ever reached; zero before the first import or tick
	Cursor       calendar.Date            `json:"cursor"`                   // last day that was raised in full
	Rulebook     string                   `json:"rulebook,omitempty"`       // digest in force
	Calendar     string                   `json:"calendar,omitempty"`       // digest in force
	WindowEnd    calendar.Date            `json:"window_end"`
	LastTick     time.Time                `json:"last_tick"`
	Clean        bool                     `json:"clean"` // the last process ended as it should

	Extra map[string]json.RawMessage `json:"extra,omitempty"` // what callers add, by name
}

// GoLiveOf is the day a branch went live.
func (m *Meta) GoLiveOf(branch string) calendar.Date {
	if d, ok := m.GoLiveBranch[branch]; ok {
		return d
	}
	return m.GoLive
}

const jsonVersion = 1 // of every record that is JSON

var metaKey = []byte("meta")

// Meta gives the head record; ErrNotFound before the first PutMeta.
func (tx *Tx) Meta() (Meta, error) {
	var m Meta
	ok, err := tx.getJSON(bucketMeta, metaKey, &m)
	if err == nil && !ok {
		err = fmt.Errorf("head record: %w", ErrNotFound)
	}
	return m, err
}

// PutMeta keeps the head record. A Schema of 0 is written as this program's.
func (tx *Tx) PutMeta(m Meta) error {
	if m.Schema == 0 {
		m.Schema = Schema
	}
	if m.Schema > Schema {
		return m.newer()
	}
	return tx.putJSON(bucketMeta, metaKey, m)
}

// Sequence gives the next number under a name: 1, 2, 3. A number belongs to
// the transaction that took it and is given again if that fails.
func (tx *Tx) Sequence(name string) (uint64, error) {
	if name == "" {
		return 0, fmt.Errorf("store: a sequence needs a name")
	}
	if tx.w == nil {
		return 0, errReadOnly
	}
	n, err := tx.lastNumber(name)
	if err != nil {
		return 0, err
	}
	tx.setNumber(name, n+1)
	return n + 1, nil
}

func (tx *Tx) lastNumber(name string) (uint64, error) {
	if n, known := tx.numbers[name]; known {
		return n, nil
	}
	return tx.getUint64(bucketSeq, []byte(name))
}

func (tx *Tx) setNumber(name string, n uint64) {
	if tx.numbers == nil {
		tx.numbers = map[string]uint64{}
	}
	tx.numbers[name] = n
}

func (tx *Tx) getUint64(bucket string, key []byte) (uint64, error) {
	p, err := tx.get(bucket, key, 1)
	if err != nil || p == nil {
		return 0, err
	}
	if len(p) != 8 {
		return 0, damaged(bucket, key, "%v", errBadRecord)
	}
	return binary.BigEndian.Uint64(p), nil
}

func (tx *Tx) getJSON(bucket string, key []byte, v any) (bool, error) {
	p, err := tx.get(bucket, key, jsonVersion)
	if err != nil || p == nil {
		return false, err
	}
	if err := json.Unmarshal(p, v); err != nil {
		return false, damaged(bucket, key, "%v", err)
	}
	return true, nil
}

func (tx *Tx) putJSON(bucket string, key []byte, v any) error {
	p, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("store: %s %s: %w", bucketTitle(bucket), keyText(key), err)
	}
	return tx.put(bucket, key, jsonVersion, p)
}

func (tx *Tx) scanJSON(bucket string, from, to []byte, v func() any, fn func(v any) error) error {
	return tx.scan(bucket, from, to, jsonVersion, func(key, payload []byte) error {
		x := v()
		if err := json.Unmarshal(payload, x); err != nil {
			return damaged(bucket, key, "%v", err)
		}
		return fn(x)
	})
}

// scanAs is scanJSON for one type.
func scanAs[T any](tx *Tx, bucket string, from, to []byte, fn func(T) error) error {
	return tx.scanJSON(bucket, from, to, func() any { return new(T) }, func(v any) error { return fn(*v.(*T)) })
}
