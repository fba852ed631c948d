package store

import (
	"bytes"
	"errors"
)

// errForked is a mistake of the program: a fork reads units, not indexes.
var errForked = errors.New("store: a fork cannot look into this index")

// Forks gives n transactions that read what this one has come to, each for one
// other goroutine. They are valid until this one is used again; those that it
// gave before are renewed. nil where the backend cannot be read so.
//
// A fork gives dossiers, plans, events, rows, and the dossiers of a branch or an
// officer. It writes nothing, but makes plans ready to be put: PackPlan.
func (tx *Tx) Forks(n int) ([]*Tx, error) {
	if tx.w == nil {
		return nil, errReadOnly
	}
	from, ok := tx.w.w.(Forker)
	if !ok {
		return nil, nil
	}
	for _, p := range tx.w.pend {
		p.arrange()
	}
	tx.arrangePosts()
	for _, index := range []byte{indexBranch, indexOfficer, indexGuarantor, indexSecured} {
		if _, err := tx.freshIndex(index); err != nil {
			return nil, err
		}
	}
	for len(tx.forks) < n {
		tx.forks = append(tx.forks, &Tx{store: tx.store, forked: true})
	}
	for _, f := range tx.forks[:n] {
		f.r = &forkReader{tx.w, from.Fork()}
		f.dict, f.ownDict, f.posts, f.fresh, f.noEvents = tx.dict, false, tx.posts, tx.fresh, gap{}
	}
	return tx.forks[:n], nil
}

// forkReader reads a buffer that nobody writes to.
type forkReader struct {
	b *buffer
	r Reader
}

func (f *forkReader) Get(bucket string, key []byte) ([]byte, error) {
	if p := f.b.pend[bucket]; p != nil {
		if at, there := p.find(key); there {
			return p.list[at].rec, nil
		}
	}
	return f.backend(bucket).Get(bucket, key)
}

func (f *forkReader) Scan(bucket string, from, to []byte, fn func(key, value []byte) error) error {
	return f.b.over(f.backend(bucket), bucket, from, to, fn)
}

func (f *forkReader) Last(bucket string, from, to []byte) (key, value []byte, err error) {
	return f.b.lastOver(f.backend(bucket), bucket, from, to)
}

func (f *forkReader) backend(bucket string) Reader {
	if f.b.none[bucket] {
		return empty{}
	}
	return f.r
}

// Packed is a plan that a fork made ready to be put.
type Packed struct {
	key      []byte // of its unit
	rec      []byte // sealed; nil where the plan is as it was
	now, old places
}

// PackPlan does in a fork what is much of PutPlan's work. It fails where the plan
// names what no record named before: PutPlan gives that its number.
func (tx *Tx) PackPlan(p *Plan) (*Packed, error) {
	if !tx.forked {
		return nil, errForked
	}
	key, err := unitKey(p.Unit)
	if err != nil {
		return nil, err
	}
	tx.enc.reset(tx)
	tx.enc.plan(p)
	if tx.enc.err != nil {
		return nil, tx.enc.err
	}
	before, err := tx.get(bucketPlan, key, planVersion)
	if err != nil {
		return nil, err
	}
	out := &Packed{key: key}
	if before != nil {
		if bytes.Equal(before, tx.enc.b) {
			return out, nil
		}
		if out.old, err = tx.placesIn(key, before); err != nil {
			return nil, err
		}
	}
	out.now = placesOf(p)
	out.rec = appendSealed(tx.slab.take(len(tx.enc.b)+sealSize), bucketPlan, key, planVersion, tx.enc.b)
	return out, nil
}

// PutPacked is PutPlan for a plan that a fork of this transaction made ready,
// when nothing of its unit was put since.
func (tx *Tx) PutPacked(p *Packed) error {
	if tx.w == nil {
		return errReadOnly
	}
	if p.rec == nil {
		return nil
	}
	tx.places.begin(p.key)
	p.now.diff(&p.old, &tx.places)
	tx.writes++
	tx.w.hold(bucketPlan, p.key, p.rec)
	return nil
}
