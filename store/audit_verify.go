package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"tickler/calendar"
)

// Anchor is a record's number and hash, as they were printed somewhere that
// the store's owner cannot change. It proves the record and all before it.
type Anchor struct {
	Seq  uint64
	Hash string // 64 hex digits
}

// String gives SEQ:HASH.
func (a Anchor) String() string { return strconv.FormatUint(a.Seq, 10) + ":" + a.Hash }

var anchorForm = regexp.MustCompile(`^(\d{1,19}):([0-9a-f]{64})$`)

// ParseAnchor reads SEQ:HASH.
func ParseAnchor(s string) (Anchor, error) {
	m := anchorForm.FindStringSubmatch(s)
	if m == nil {
		return Anchor{}, fmt.Errorf("anchor %q: want SEQ:HASH, as \"tickler audit head\" prints it", s)
	}
	seq, err := strconv.ParseUint(m[1], 10, 64)
	return Anchor{seq, m[2]}, err
}

// AuditFault is the way in which a record of the trail does not hold.
type AuditFault string

const (
	FaultHead       AuditFault = "head"       // the head cannot be read
	FaultUnreadable AuditFault = "unreadable" // the record cannot be read
	FaultMissing    AuditFault = "missing"    // it is not there
	FaultNumber     AuditFault = "number"     // it carries another number than its place
	FaultOrder      AuditFault = "order"      // it names another predecessor
	FaultContent    AuditFault = "content"    // its hash is not that of its content
	FaultBeyond     AuditFault = "beyond"     // it stands behind the head
	FaultLast       AuditFault = "last"       // the head's hash is not the last record's
	FaultDay        AuditFault = "day"        // its business date is before that of a record before it
	FaultCut        AuditFault = "cut"        // an anchor names it, and the trail ends before it
	FaultOther      AuditFault = "other"      // an anchor names it with another hash
)

// faultReasons complete the sentence "audit record 7: …".
var faultReasons = map[AuditFault]string{
	FaultHead:       "the head of the trail is damaged",
	FaultUnreadable: "it is damaged",
	FaultMissing:    "it is missing",
	FaultNumber:     "it carries another number",
	FaultOrder:      "it does not follow the one before",
	FaultContent:    "its hash is not that of its content",
	FaultBeyond:     "it stands behind the head of the trail",
	FaultLast:       "its hash is not the head's",
	FaultDay:        "its business date is before that of the record before it",
	FaultCut:        "it was there once, and the trail ends before it",
	FaultOther:      "it is not the one whose hash was printed",
}

// BadRecord is where the audit trail does not hold: the first record that is
// not what was written, or that is missing.
type BadRecord struct {
	Seq   uint64
	Fault AuditFault
	Since uint64 // of cut and other: the first record that no anchor vouches for
	Err   error  // what reading it gave, or nil
}

func (b *BadRecord) Error() string {
	text := fmt.Sprintf("audit record %d: %s", b.Seq, faultReasons[b.Fault])
	if b.Err != nil {
		text += " (" + b.Err.Error() + ")"
	}
	return text
}

// Unwrap gives what reading the record gave.
func (b *BadRecord) Unwrap() error { return b.Err }

// Is makes a BadRecord an ErrCorrupt.
func (b *BadRecord) Is(target error) bool { return target == ErrCorrupt }

// AuditProof is how far a trail holds.
type AuditProof struct {
	First    uint64       // number of the first record; 0 where there is none
	Count    uint64       // records that hold, from the first one on
	Head     Anchor       // the last of them
	Backward []uint64     // records whose moment is before that of the one before: the clock was set back
	Anchors  []Anchor     // those that were met, by number
	At       [2]time.Time // of the first and the last record
}

// prover walks a trail record by record.
type prover struct {
	proof   AuditProof
	next    uint64            // number of the record to come
	hash    [sha256.Size]byte // of the one before
	day     calendar.Date
	anchors []Anchor // not met yet, by number
	good    uint64   // the last anchor that was met
}

func newProver(anchors []Anchor) *prover {
	p := &prover{next: 1, anchors: slices.Clone(anchors)}
	slices.SortStableFunc(p.anchors, func(a, b Anchor) int {
		switch {
		case a.Seq < b.Seq:
			return -1
		case a.Seq > b.Seq:
			return 1
		}
		return 0
	})
	p.proof.Head.Hash = hex.EncodeToString(p.hash[:])
	return p
}

// start meets the anchors on what stands before the first record.
func (p *prover) start() error { return p.meet(p.next - 1) }

// take proves the next record: its body is what was hashed.
func (p *prover) take(r *Record, stored, body []byte) error {
	bad := func(f AuditFault) error { return &BadRecord{Seq: p.next, Fault: f} }
	if r.Seq != p.next {
		return bad(FaultNumber)
	}
	if r.Prev != hex.EncodeToString(p.hash[:]) {
		return bad(FaultOrder)
	}
	hash := auditHash(p.hash[:], body)
	if !bytes.Equal(hash[:], stored) {
		return bad(FaultContent)
	}
	if r.Business < p.day {
		return bad(FaultDay)
	}
	if p.proof.Count == 0 {
		p.proof.First, p.proof.At[0] = r.Seq, r.At
	} else if r.At.Before(p.proof.At[1]) {
		p.proof.Backward = append(p.proof.Backward, r.Seq)
	}
	p.proof.Count++
	p.proof.At[1], p.proof.Head = r.At, Anchor{r.Seq, hex.EncodeToString(hash[:])}
	p.hash, p.day = hash, r.Business
	p.next++
	return p.meet(r.Seq)
}

// meet holds the hash of the record before the next one against the anchors
// that name it.
func (p *prover) meet(seq uint64) error {
	for len(p.anchors) > 0 && p.anchors[0].Seq <= seq {
		a := p.anchors[0]
		p.anchors = p.anchors[1:]
		if a.Seq < seq {
			continue // before the first line of an export
		}
		if a.Hash != hex.EncodeToString(p.hash[:]) {
			return &BadRecord{Seq: seq, Fault: FaultOther, Since: p.good + 1}
		}
		p.good = seq
		p.proof.Anchors = append(p.proof.Anchors, a)
	}
	return nil
}

// end looks for anchors beyond the last record.
func (p *prover) end() error {
	if len(p.anchors) > 0 {
		return &BadRecord{Seq: p.next, Fault: FaultCut, Since: p.next, Err: fmt.Errorf("record %d was printed", p.anchors[len(p.anchors)-1].Seq)}
	}
	return nil
}

const auditPage = 4096 // records verified in one View

// VerifyAudit walks the trail from the first record to the head that stood
// when it began, in pages, a View each, and then holds the index of subjects
// against it. The error is a *BadRecord that names the first record that does
// not hold, or a *Damage of the index; the proof goes as far as that.
//
// A trail whose end and head were both put back, or that was chained again to
// its end, is whole in itself: only an anchor tells.
func (s *Store) VerifyAudit(ctx context.Context, anchors ...Anchor) (AuditProof, error) {
	p := newProver(anchors)
	t := auditTally{seed: maphash.MakeSeed()}
	err := s.verifyAudit(ctx, p, &t)
	if err == nil {
		err = p.end()
	}
	if err == nil {
		have := auditTally{seed: t.seed}
		if err = s.tallyAuditIndex(ctx, &have, p.next-1); err == nil && have != t {
			err = damaged(bucketPost, []byte{indexAudit},
				"the list of what the audit records are about has %d entries and should have %d, or others; make the indexes again", have.n, t.n)
		}
	}
	return p.proof, err
}

func (s *Store) verifyAudit(ctx context.Context, p *prover, t *auditTally) error {
	var last uint64
	var want [sha256.Size]byte
	err := s.View(ctx, func(tx *Tx) (err error) {
		if last, want, err = tx.auditHead(); err != nil {
			return &BadRecord{Fault: FaultHead, Err: err}
		}
		return tx.beyondAudit(last)
	})
	if err == nil {
		err = p.start()
	}
	for err == nil && p.next <= last {
		if err = ctx.Err(); err == nil {
			err = s.View(ctx, func(tx *Tx) error { return tx.verifyPage(p, t, min(p.next+auditPage-1, last)) })
		}
	}
	if err == nil && p.hash != want {
		err = &BadRecord{Seq: last, Fault: FaultLast}
	}
	return err
}

// verifyPage proves the records from the next one to end.
func (tx *Tx) verifyPage(p *prover, t *auditTally, end uint64) error {
	var bad error
	err := tx.r.Scan(bucketAudit, auditKey(p.next), auditKey(end+1), func(key, rec []byte) error {
		if bad = p.takeRecord(t, key, rec); bad != nil {
			return errStop
		}
		return nil
	})
	switch {
	case bad != nil:
		return bad
	case err != nil && errors.Is(err, ErrCorrupt):
		return &BadRecord{Seq: p.next, Fault: FaultUnreadable, Err: err}
	case err != nil:
		return err
	case p.next != end+1:
		return &BadRecord{Seq: p.next, Fault: FaultMissing}
	}
	return nil
}

// takeRecord proves one record as it is kept.
func (p *prover) takeRecord(t *auditTally, key, rec []byte) error {
	if !bytes.Equal(key, auditKey(p.next)) {
		return &BadRecord{Seq: p.next, Fault: FaultMissing}
	}
	payload, err := open(bucketAudit, key, rec, auditVersion)
	if err != nil {
		return &BadRecord{Seq: p.next, Fault: FaultUnreadable, Err: err}
	}
	r, stored, body, err := decodeAudit(key, payload)
	if err != nil {
		return &BadRecord{Seq: p.next, Fault: FaultUnreadable, Err: err}
	}
	if err := p.take(&r, stored, body); err != nil {
		return err
	}
	for _, x := range auditPostings(&r) {
		t.add(x.cell, x.member)
	}
	return nil
}

// beyondAudit says whether records stand behind the head.
func (tx *Tx) beyondAudit(last uint64) error {
	err := tx.r.Scan(bucketAudit, auditKey(last+1), nil, func([]byte, []byte) error {
		return &BadRecord{Seq: last + 1, Fault: FaultBeyond}
	})
	if bad := (*BadRecord)(nil); err != nil && !errors.As(err, &bad) && errors.Is(err, ErrCorrupt) {
		return &BadRecord{Seq: last + 1, Fault: FaultBeyond, Err: err}
	}
	return err
}

// AuditFaults lists every fault, in the order of their names.
func AuditFaults() []AuditFault { return slices.Sorted(maps.Keys(faultReasons)) }
