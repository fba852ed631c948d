package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"

	"tickler/loan"
)

// Check reads the whole store and calls report for each thing that is not as
// it should be: the database file, where the backend can look at it; the
// checksum and the form of every record; the indexes against what they point
// to; the audit trail. err says that it could not go on.
//
// It reads in one long View: check a backup, or a store that is not busy.
func (s *Store) Check(ctx context.Context, report func(error)) error {
	found := 0
	note := func(err error) { found++; report(err) }
	if c, ok := s.backend.(Checker); ok {
		if err := c.CheckPages(ctx, note); err != nil {
			return err
		}
		if found > 0 {
			return nil // the same damage would be met again, record by record
		}
	}
	err := s.View(ctx, func(tx *Tx) error {
		c := &checker{tx: tx, report: note, seed: maphash.MakeSeed()}
		for _, bucket := range Buckets {
			if err := c.bucket(bucket); err != nil {
				return err
			}
		}
		if found == 0 {
			c.compare()
		}
		return nil
	})
	if err != nil {
		return damageOr(err, note)
	}
	_, err = s.VerifyAudit(ctx)
	return damageOr(err, note)
}

// damageOr reports damage and gives back every other error.
func damageOr(err error, report func(error)) error {
	if errors.Is(err, ErrCorrupt) {
		report(err)
		return nil
	}
	return err
}

type checker struct {
	tx     *Tx
	report func(error)
	seed   maphash.Seed
	want   [256]tally // by index, of what the plans and dossiers ask for
	have   [256]tally
	owners tally // loans and collaterals of the dossiers, less those of the index
	events tally // events, less those of their index
}

// tally is the count and the sum of the hashes of a set, in any order.
type tally struct {
	n   int64
	sum uint64
}

func (c *checker) add(t *tally, sign int64, parts ...string) {
	var h maphash.Hash
	h.SetSeed(c.seed)
	for _, p := range parts {
		h.WriteString(p)
		h.WriteByte(0)
	}
	t.n += sign
	t.sum += h.Sum64() * uint64(sign)
}

// bucket looks at each record of a bucket. It gives the errors that are not
// damage.
func (c *checker) bucket(bucket string) error {
	err := c.tx.r.Scan(bucket, nil, nil, func(key, rec []byte) error {
		_, payload, err := unseal(bucket, key, rec)
		if err == nil {
			err = c.record(bucket, key, rec, payload)
		}
		return damageOr(err, c.report)
	})
	return damageOr(err, c.report)
}

func (c *checker) record(bucket string, key, rec, payload []byte) error {
	switch bucket {
	case bucketDossier:
		d, err := c.tx.decodeDossier(key, payload)
		if err != nil {
			return err
		}
		for _, p := range dossierPostings(d) {
			c.add(&c.want[p.cell[0]], 1, p.cell, p.member)
		}
		for _, r := range dossierRefs(d) {
			k, err := refKey(r)
			if err != nil {
				return damaged(bucket, key, "%v", err)
			}
			c.add(&c.owners, 1, string(k), d.ID)
		}
	case bucketOwner:
		c.add(&c.owners, -1, string(key), string(payload))
	case bucketPlan:
		p, err := c.tx.decodePlan(key, payload)
		if err != nil {
			return err
		}
		for _, p := range planPostings(p) {
			c.add(&c.want[p.cell[0]], 1, p.cell, p.member)
		}
	case bucketAudit:
		r, _, _, err := decodeAudit(key, payload)
		if err != nil {
			return err
		}
		for _, p := range auditPostings(&r) {
			c.add(&c.want[p.cell[0]], 1, p.cell, p.member)
		}
	case bucketPost:
		if len(key) == 0 {
			return damaged(bucket, key, "it names no cell")
		}
		_, member, ok := cutText(key[1:])
		if !ok {
			return damaged(bucket, key, "it names no cell")
		}
		cell := key[:len(key)-len(member)]
		members, err := decodeChunk(key, cell, rec)
		if err != nil {
			return err
		}
		for _, m := range members {
			c.add(&c.have[key[0]], 1, string(cell), m)
		}
	case bucketEvent:
		var e loan.Event
		if err := json.Unmarshal(payload, &e); err != nil {
			return damaged(bucket, key, "%v", err)
		}
		u, _, _ := cutText(key)
		c.add(&c.events, 1, e.ID, string(appendDay(nil, e.Happened)), u)
	case bucketEventID:
		day, u, ok := cutDay(payload)
		if !ok {
			return damaged(bucket, key, "%v", errBadRecord)
		}
		c.add(&c.events, -1, string(key), string(appendDay(nil, day)), string(u))
	case bucketDoc:
		_, err := unpackDocument(key, payload)
		return err
	case bucketRow, bucketImport, bucketOutbox, bucketSent, bucketActive:
		if !json.Valid(payload) {
			return damaged(bucket, key, "it is no JSON")
		}
	}
	return nil
}

// compare holds the indexes against what they are made from.
func (c *checker) compare() {
	for i := range c.want {
		if c.want[i] != c.have[i] {
			c.report(damaged(bucketPost, []byte{byte(i)},
				"it has %d entries and should have %d, or others; make the indexes again", c.have[i].n, c.want[i].n))
		}
	}
	if c.owners != (tally{}) {
		c.report(&Damage{Bucket: bucketOwner, Reason: "the index of loans and collaterals does not agree with the dossiers; make the indexes again"})
	}
	if c.events != (tally{}) {
		c.report(&Damage{Bucket: bucketEventID, Reason: "the index of events does not agree with the events; make the indexes again"})
	}
}

// Reindex makes the indexes of dossiers, plans, events and audit records again.
func (tx *Tx) Reindex() error {
	if tx.w == nil {
		return errReadOnly
	}
	tx.posts, tx.places, tx.trail, tx.fresh = nil, placeLog{}, auditLog{}, nil
	for _, bucket := range []string{bucketPost, bucketOwner, bucketEventID} {
		err := tx.r.Scan(bucket, nil, nil, func(key, _ []byte) error { return tx.w.w.Delete(bucket, key) })
		if err != nil {
			return fmt.Errorf("clear the indexes: %w", err)
		}
		tx.w.forget(bucket)
	}
	err := tx.ScanAudit(1, 0, func(r Record) error { tx.postAudit(&r); return nil })
	if err != nil {
		return err
	}
	err = tx.ScanEvents(func(unit loan.Ref, e loan.Event) error {
		u, err := unitKey(unit)
		if err != nil {
			return err
		}
		return tx.put(bucketEventID, []byte(e.ID), 1, append(appendDay(nil, e.Happened), u...))
	})
	if err != nil {
		return err
	}
	err = tx.ScanDossiers(func(d *loan.Dossier) error {
		tx.repost(nil, dossierPostings(d))
		return tx.own(&loan.Dossier{ID: d.ID}, d)
	})
	if err != nil {
		return err
	}
	return tx.ScanPlans(func(p *Plan) error {
		return tx.postPlan(p)
	})
}
