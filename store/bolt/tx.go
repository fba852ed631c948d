package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"

	"go.etcd.io/bbolt"

	"tickler/store"
)

// tx is a store.Reader and a store.Writer on a transaction of bbolt.
type tx struct {
	ctx      context.Context
	tx       *bbolt.Tx
	b        *bbolt.Bucket
	tree     *tree // as it was committed before this transaction
	writable bool
	changes  int // Puts and Deletes so far
	deletes  int // Deletes alone
	ended    bool
	buf      []byte
}

var errEnded = errors.New("the transaction has ended")

// fillPercent is how full a page is left when it is split. Keys come in order
// mostly, and then nothing is ever added to a page again.
const fillPercent = 0.9

// start looks at the two ends of the tree.
func (t *tx) start() (err error) {
	defer t.guard(&err)
	if t.tree, err = treeOf(t.tx); err != nil {
		return err
	}
	t.b = t.tx.Bucket(rootBucket)
	t.b.FillPercent = fillPercent
	return nil
}

// guard turns a panic of bbolt into an error. It is deferred where no code but
// bbolt's and this package's runs.
func (t *tx) guard(err *error) {
	if r := recover(); r != nil {
		*err = unreadable(r)
	}
}

// unreadable says what a panic of bbolt, or a fault of the mapped file, means.
func unreadable(r any) error {
	if _, fault := r.(interface{ Addr() uintptr }); fault {
		return corrupt("a part of the file cannot be read")
	}
	return corrupt("the file cannot be read: %v", r)
}

// Fork gives a transaction that reads beside this one. Of bbolt it calls only
// what looks up nodes and pages, and changes neither.
func (t *tx) Fork() store.Reader {
	return &tx{ctx: t.ctx, tx: t.tx, b: t.b, tree: t.tree.fork(), deletes: t.deletes}
}

// join makes the key of the tree. What it gives lasts until the next join.
func (t *tx) join(bucket string, key []byte) []byte {
	t.buf = append(append(append(t.buf[:0], bucket...), 0), key...)
	return t.buf
}

// bounds are the keys of the tree for a range of a bucket.
func bounds(bucket string, from, to []byte) (lo, hi []byte) {
	if len(from) == 0 {
		from = []byte{0} // no key is less, and the fence stays out
	}
	lo = append(append([]byte(bucket), 0), from...)
	if to == nil {
		return lo, append([]byte(bucket), 1)
	}
	return lo, append(append([]byte(bucket), 0), to...)
}

// prove proves a record of the tree: its checksum, or that it is an end post.
func prove(k, v []byte) error {
	switch {
	case bytes.Equal(k, firstKey):
		if !bytes.Equal(v, firstValue) {
			return corrupt("the first record of the tree is damaged")
		}
	case bytes.Equal(k, lastKey):
		if !bytes.Equal(v, lastValue) {
			return corrupt("the last record of the tree is damaged")
		}
	default:
		bucket, key, ok := bytes.Cut(k, []byte{0})
		if !ok || len(key) == 0 {
			if !bytes.Equal(v, fenceValue) {
				return corrupt("the fence before %q is damaged", bucket)
			}
			return nil
		}
		return store.VerifyRecord(string(bucket), key, v)
	}
	return nil
}

var errOrder = corrupt("the keys of the file are out of order")

// Get gives the value of a key. Where there is none, the records on both sides
// of where it would be are sound and in order.
func (t *tx) Get(bucket string, key []byte) (value []byte, err error) {
	if t.ended {
		return nil, errEnded
	}
	defer t.guard(&err)
	if len(key) == 0 {
		return nil, nil
	}
	full := t.join(bucket, key)
	_, _, leaf, err := t.tree.walk(full, false)
	if err != nil {
		return nil, damage(err)
	}
	if !t.writable { // the leaf is as it was committed
		if v, ok := leaf.find(full); ok {
			return v, nil
		}
	}
	c := t.b.Cursor()
	k, v := c.Seek(full)
	if bytes.Equal(k, full) {
		if v == nil {
			return nil, corrupt("a record has no value")
		}
		return v[:len(v):len(v)], nil
	}
	if k == nil || bytes.Compare(k, full) < 0 {
		return nil, errOrder
	}
	if err := prove(k, v); err != nil {
		return nil, err
	}
	return nil, t.below(c, full)
}

// prev goes back by one key. Leaves whose keys were all deleted in this
// transaction stay in the tree until it commits, and bbolt gives a nil key for
// each; there are at most as many as deletions. known is false where there
// were more than limit, and k is nil at the beginning of the tree.
func (t *tx) prev(c *bbolt.Cursor, limit int) (k, v []byte, known bool) {
	for range min(limit, t.deletes) + 1 {
		if k, v = c.Prev(); k != nil {
			return k, v, true
		}
	}
	return nil, nil, limit > t.deletes
}

// below proves the record before the cursor, which must be before key. Where
// so much was deleted that it is far, it is let be.
func (t *tx) below(c *bbolt.Cursor, key []byte) error {
	k, v, known := t.prev(c, 16)
	if !known {
		return nil
	}
	if k == nil || bytes.Compare(k, key) >= 0 {
		return errOrder
	}
	return prove(k, v)
}

// Scan goes through a range. Every leaf of it is looked at, so that none that
// went missing is passed over.
func (t *tx) Scan(bucket string, from, to []byte, fn func(key, value []byte) error) error {
	if t.ended {
		return errEnded
	}
	lo, hi := bounds(bucket, from, to)
	if bytes.Compare(lo, hi) >= 0 {
		return nil
	}
	s := &scan{tx: t, hi: hi}
	k, v, err := s.begin(lo)
	for n := 1; err == nil && bytes.Compare(k, hi) < 0; n++ {
		changes := t.changes
		if err := fn(k[len(bucket)+1:len(k):len(k)], v[:len(v):len(v)]); err != nil {
			return err
		}
		if n%1024 == 0 {
			if err := t.ctx.Err(); err != nil {
				return err
			}
		}
		if t.ended {
			return errEnded
		}
		k, v, err = s.next(k, changes != t.changes)
	}
	if err != nil {
		return err
	}
	return s.end(k, v)
}

type scan struct {
	tx   *tx
	c    *bbolt.Cursor
	hi   []byte
	edge []byte // where the leaves looked at so far end; nil is the end of the tree
}

func (s *scan) begin(lo []byte) (k, v []byte, err error) {
	defer s.tx.guard(&err)
	if _, s.edge, _, err = s.tx.tree.walk(lo, false); err != nil {
		return nil, nil, damage(err)
	}
	s.c = s.tx.b.Cursor()
	s.c.Seek(lo)
	if err := s.tx.below(s.c, lo); err != nil {
		return nil, nil, err
	}
	k, v = s.c.Seek(lo)
	if k == nil || bytes.Compare(k, lo) < 0 {
		return nil, nil, errOrder
	}
	return k, v, s.reach(k)
}

// reach looks at the leaves up to a key.
func (s *scan) reach(k []byte) (err error) {
	for s.edge != nil && bytes.Compare(k, s.edge) >= 0 {
		if _, s.edge, _, err = s.tx.tree.walk(s.edge, false); err != nil {
			return damage(err)
		}
	}
	return nil
}

func (s *scan) next(last []byte, changed bool) (k, v []byte, err error) {
	defer s.tx.guard(&err)
	if changed {
		k, v = s.c.Seek(append(bytes.Clone(last), 0))
	} else {
		k, v = s.c.Next()
	}
	if k == nil || bytes.Compare(k, last) <= 0 {
		return nil, nil, errOrder
	}
	return k, v, s.reach(k)
}

// end looks at the rest of the leaves and at the first record that the scan
// did not give.
func (s *scan) end(k, v []byte) (err error) {
	defer s.tx.guard(&err)
	if err := s.reach(s.hi); err != nil {
		return err
	}
	return prove(k, v)
}

// Last gives the greatest key of a range.
func (t *tx) Last(bucket string, from, to []byte) (key, value []byte, err error) {
	if t.ended {
		return nil, nil, errEnded
	}
	lo, hi := bounds(bucket, from, to)
	if bytes.Compare(lo, hi) >= 0 {
		return nil, nil, nil
	}
	defer t.guard(&err)
	if _, _, _, err := t.tree.walk(hi, false); err != nil {
		return nil, nil, damage(err)
	}
	low, _, _, err := t.tree.walk(hi, true) // the leaf of the keys just below
	if err != nil {
		return nil, nil, damage(err)
	}
	c := t.b.Cursor()
	k, v := c.Seek(hi)
	if k == nil || bytes.Compare(k, hi) < 0 {
		return nil, nil, errOrder
	}
	if err := prove(k, v); err != nil {
		return nil, nil, err
	}
	k, v, _ = t.prev(c, math.MaxInt)
	if k == nil || bytes.Compare(k, hi) >= 0 {
		return nil, nil, errOrder
	}
	if low != nil && bytes.Compare(k, low) < 0 {
		// Nothing of that leaf is left: look at the one before as well.
		if _, _, _, err := t.tree.walk(low, true); err != nil {
			return nil, nil, damage(err)
		}
	}
	if bytes.Compare(k, lo) < 0 {
		return nil, nil, prove(k, v)
	}
	return k[len(bucket)+1 : len(k) : len(k)], v[:len(v):len(v)], nil
}

// Put sets a key.
func (t *tx) Put(bucket string, key, value []byte) (err error) {
	if err := t.mayWrite(bucket, key); err != nil {
		return err
	}
	defer t.guard(&err)
	full := t.join(bucket, key)
	if _, _, _, err := t.tree.walk(full, false); err != nil {
		return damage(err)
	}
	t.changes++
	if err := t.b.Put(full, value); err != nil {
		return fmt.Errorf("put a %s record: %w", bucket, err)
	}
	return nil
}

// Delete removes a key.
func (t *tx) Delete(bucket string, key []byte) (err error) {
	if err := t.mayWrite(bucket, key); err != nil {
		return err
	}
	defer t.guard(&err)
	full := t.join(bucket, key)
	if _, _, _, err := t.tree.walk(full, false); err != nil {
		return damage(err)
	}
	t.changes++
	t.deletes++
	return t.b.Delete(full)
}

func (t *tx) mayWrite(bucket string, key []byte) error {
	switch {
	case t.ended:
		return errEnded
	case !t.writable:
		return errors.New("a View cannot write")
	case bucket == "" || bytes.IndexByte([]byte(bucket), 0) >= 0 || bucket[0] >= 0xff:
		return fmt.Errorf("%q cannot be the name of a bucket", bucket)
	case len(key) == 0:
		// Where a key is empty stands the bucket's fence.
		return fmt.Errorf("put into %s: the key is empty", bucket)
	}
	return nil
}
