package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"tickler/loan"
	"tickler/obligation"
)

// AuditName is what audit records are found under: a class and a name.
//
//	class  name
//	t      KIND/ID    a thing: what is about it, and about each of its obligations
//	s      text       any other subject: an event's id, a file's name
//	p      staff no.  a person: what he did
//	u      OS user    likewise
//
// An obligation has no list of its own: its records stand with those of its
// subject and its party, which are few, and the reader picks them by Subject.
// So a duty that is raised costs three bytes here and not a key.
type AuditName string

// maxAuditName bounds a name within a key; a longer one stands by its hash.
const maxAuditName = 256

func auditName(class byte, name string) AuditName {
	if len(name) > maxAuditName {
		sum := sha256.Sum256([]byte(name))
		name = name[:maxAuditName/2] + hex.EncodeToString(sum[:])
	}
	return AuditName(string(class) + name)
}

// AuditThing names the records about a thing.
func AuditThing(r loan.Ref) AuditName { return auditName('t', r.String()) }

// AuditPerson names what a person did.
func AuditPerson(staff string) AuditName { return auditName('p', staff) }

// AuditUser names what a user of the operating system did.
func AuditUser(name string) AuditName { return auditName('u', name) }

// AuditSubject names where the records with a Subject stand, among others:
// that of an obligation's id is the thing it is about.
func AuditSubject(subject string) AuditName { return auditSubjects(subject)[0] }

func auditSubjects(subject string) []AuditName {
	if staff, ok := strings.CutPrefix(subject, "person/"); ok && staff != "" {
		return []AuditName{AuditPerson(staff)}
	}
	// KIND/ID has its slash before any colon, an obligation's id after one.
	switch at := strings.IndexAny(subject, ":/"); {
	case at < 0:
	case subject[at] == '/':
		if r, err := loan.ParseRef(subject); err == nil {
			return []AuditName{AuditThing(r)}
		}
	default:
		k, err := obligation.ParseKey(subject)
		if err != nil {
			break
		}
		names := []AuditName{AuditThing(k.Subject)}
		if !k.Party.IsZero() {
			names = append(names, AuditThing(k.Party))
		}
		return names
	}
	return []AuditName{auditName('s', subject)}
}

// auditPostings lists where a record is to be found, sorted, without doubles.
func auditPostings(r *Record) []posting {
	var names []AuditName
	for _, s := range append([]string{r.Subject}, r.About...) {
		if s != "" {
			names = append(names, auditSubjects(s)...)
		}
	}
	if r.Actor != "" {
		names = append(names, AuditPerson(r.Actor))
	}
	if r.OSUser != "" {
		names = append(names, AuditUser(r.OSUser))
	}
	out := make([]posting, len(names))
	for i, n := range names {
		out[i] = posting{cellKey(indexAudit, []byte(n)), string(auditKey(r.Seq))}
	}
	slices.SortFunc(out, comparePostings)
	return slices.Compact(out)
}

func (tx *Tx) postAudit(r *Record) {
	l := &tx.trail
	add := func(subject string) {
		if subject != "" {
			for _, n := range auditSubjects(subject) {
				l.add(r.Seq, n[0], string(n[1:]))
			}
		}
	}
	if r.Of != nil {
		l.add(r.Seq, 't', string(r.Of.Subject.Kind), "/", r.Of.Subject.ID)
		if p := r.Of.Party; !p.IsZero() {
			l.add(r.Seq, 't', string(p.Kind), "/", p.ID)
		}
	} else {
		add(r.Subject)
	}
	for _, s := range r.About {
		add(s)
	}
	if r.Actor != "" {
		l.add(r.Seq, 'p', r.Actor)
	}
	if r.OSUser != "" {
		l.add(r.Seq, 'u', r.OSUser)
	}
}

// AuditOf calls fn, oldest first, for at most n records after a number that
// stand under any of the names. It gives the number of the last one, or 0
// where none is left: so a long list goes page by page, a View each.
func (tx *Tx) AuditOf(names []AuditName, after uint64, n int, fn func(Record) error) (next uint64, err error) {
	var seqs []uint64
	for _, name := range names {
		some, err := tx.auditSeqs(name, after, n+1)
		if err != nil {
			return 0, err
		}
		seqs = append(seqs, some...)
	}
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	if len(seqs) > n {
		seqs = seqs[:n]
		next = seqs[n-1]
	}
	for _, seq := range seqs {
		rec, err := tx.AuditRecord(seq)
		if errors.Is(err, ErrNotFound) {
			return 0, damaged(bucketPost, []byte{indexAudit}, "it points to audit record %d, which is missing", seq)
		}
		if err != nil {
			return 0, err
		}
		if err := fn(rec); err != nil {
			return 0, err
		}
	}
	return next, nil
}

// auditSeqs lists at most n numbers after one.
func (tx *Tx) auditSeqs(name AuditName, after uint64, n int) (out []uint64, err error) {
	if err := tx.flushPostings(); err != nil {
		return nil, err
	}
	cell := []byte(cellKey(indexAudit, []byte(name)))
	from := cell // the chunk that the number falls into
	key, _, err := tx.r.Last(bucketPost, cell, append(append(bytes.Clone(cell), auditKey(after)...), 0))
	if err != nil {
		return nil, err
	}
	if key != nil {
		from = bytes.Clone(key)
	}
	err = tx.members(from, prefixEnd(cell), func(cell []byte, m string) error {
		if len(m) != 8 {
			return damaged(bucketPost, cell, "%v", errBadRecord)
		}
		if seq := binary.BigEndian.Uint64([]byte(m)); seq > after {
			out = append(out, seq)
		}
		if len(out) == n {
			return errStop
		}
		return nil
	})
	if err == errStop {
		err = nil
	}
	return out, err
}

// auditTally sums up what stands, or should stand, in the index.
type auditTally struct {
	seed maphash.Seed
	n    int64
	sum  uint64
}

func (t *auditTally) add(cell, member string) {
	var h maphash.Hash
	h.SetSeed(t.seed)
	h.WriteString(cell)
	h.WriteString(member)
	t.n++
	t.sum += h.Sum64()
}

// tallyAuditIndex adds up the index as far as the records up to last go. They
// are never changed, so that pages of several Views fit together; a chunk that
// is cut in between is not counted twice.
func (s *Store) tallyAuditIndex(ctx context.Context, t *auditTally, last uint64) error {
	from, end := []byte{indexAudit}, []byte{indexAudit + 1}
	var seenCell, seenMember string
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		read := 0
		err := s.View(ctx, func(tx *Tx) error {
			return tx.members(from, end, func(cell []byte, m string) error {
				if c := string(cell); c != seenCell {
					if read >= auditPage {
						return errStop
					}
					seenCell, seenMember = c, ""
				}
				if m <= seenMember {
					return nil
				}
				if read++; read > 2*auditPage { // within a long list
					return errStop
				}
				seenMember = m
				if len(m) != 8 {
					return damaged(bucketPost, cell, "%v", errBadRecord)
				}
				if binary.BigEndian.Uint64([]byte(m)) <= last {
					t.add(seenCell, m)
				}
				return nil
			})
		})
		if err == nil {
			return nil
		}
		if err != errStop {
			return err
		}
		// Go on in the chunk that holds what was read last.
		err = s.View(ctx, func(tx *Tx) error {
			key, _, err := tx.r.Last(bucketPost, []byte(seenCell), []byte(seenCell+seenMember+"\x00"))
			if err == nil && key == nil {
				return fmt.Errorf("%w: the index of audit records lost %q", ErrCorrupt, seenCell)
			}
			from = bytes.Clone(key)
			return err
		})
		if err != nil {
			return err
		}
	}
}
