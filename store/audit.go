package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"tickler/calendar"
)

// Record is one entry of the audit trail. Prev and Hash chain it to its
// neighbours:
//
//	Hash = sha256(hash of the record before | the record as JSON, without its hash)
//
// The JSON is kept as it was hashed, byte for byte. The first record's Prev is
// 64 zeros. Seq counts from 1 without a gap.
type Record struct {
	Seq      uint64          `json:"seq"`
	At       time.Time       `json:"at"` // UTC
	Business calendar.Date   `json:"business"`
	Actor    string          `json:"actor,omitempty"` // the person
	OSUser   string          `json:"os_user,omitempty"`
	Action   string          `json:"action"`
	Subject  string          `json:"subject,omitempty"`
	Detail   json.RawMessage `json:"detail,omitempty"`
	Rulebook string          `json:"rulebook,omitempty"`
	Calendar string          `json:"calendar,omitempty"`
	Prev     string          `json:"prev"`
	Hash     string          `json:"-"`
}

const auditVersion = 1

var auditHeadKey = []byte("audit")

// head of the trail: the last record's number and hash.
func (tx *Tx) auditHead() (seq uint64, hash [sha256.Size]byte, err error) {
	p, err := tx.get(bucketMeta, auditHeadKey, auditVersion)
	if err != nil || p == nil {
		return 0, hash, err
	}
	if len(p) != 8+len(hash) {
		return 0, hash, damaged(bucketMeta, auditHeadKey, "%v", errBadRecord)
	}
	copy(hash[:], p[8:])
	return binary.BigEndian.Uint64(p), hash, nil
}

// AuditHead gives the number and hash of the newest record; 0 and 64 zeros
// where there is none. The number is also how many there are.
func (tx *Tx) AuditHead() (seq uint64, hash string, err error) {
	seq, h, err := tx.auditHead()
	return seq, hex.EncodeToString(h[:]), err
}

// Audit appends a record and gives its number. Seq, Prev and Hash of what is
// passed are not looked at; At is kept in UTC; Detail must be JSON or nil, and
// AuditDetail makes it.
func (tx *Tx) Audit(rec Record) (seq uint64, err error) {
	if rec.Action == "" {
		return 0, fmt.Errorf("store: an audit record needs an action")
	}
	last, prev, err := tx.auditHead()
	if err != nil {
		return 0, err
	}
	rec.Seq, rec.Prev, rec.At = last+1, hex.EncodeToString(prev[:]), rec.At.UTC()
	body, err := json.Marshal(rec)
	if err != nil {
		return 0, fmt.Errorf("store: audit record %q: %w", rec.Action, err)
	}
	hash := auditHash(prev[:], body)
	payload := append(append(make([]byte, 0, len(hash)+len(body)), hash[:]...), body...)
	key := auditKey(rec.Seq)
	if err := tx.put(bucketAudit, key, auditVersion, payload); err != nil {
		return 0, err
	}
	return rec.Seq, tx.put(bucketMeta, auditHeadKey, auditVersion, append(auditKey(rec.Seq), hash[:]...))
}

// AuditDetail makes a record's Detail of a value.
func AuditDetail(v any) (json.RawMessage, error) { return json.Marshal(v) }

func auditKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func auditHash(prev, body []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(prev)
	h.Write(body)
	return [sha256.Size]byte(h.Sum(nil))
}

// decodeAudit reads a record. Its hash is of its own making until verified.
func decodeAudit(key, payload []byte) (rec Record, hash, body []byte, err error) {
	if len(key) != 8 || len(payload) < sha256.Size {
		return rec, nil, nil, damaged(bucketAudit, key, "%v", errBadRecord)
	}
	hash, body = payload[:sha256.Size], payload[sha256.Size:]
	if err := json.Unmarshal(body, &rec); err != nil {
		return rec, nil, nil, damaged(bucketAudit, key, "%v", err)
	}
	rec.Hash = hex.EncodeToString(hash)
	return rec, hash, body, nil
}

// ScanAudit calls fn for the records from one number to another, both
// included, in order; to 0 is the end. It reads; VerifyAudit proves.
func (tx *Tx) ScanAudit(from, to uint64, fn func(Record) error) error {
	var end []byte
	if to > 0 && to+1 > to {
		end = auditKey(to + 1)
	}
	return tx.scan(bucketAudit, auditKey(from), end, auditVersion, func(key, payload []byte) error {
		rec, _, _, err := decodeAudit(key, payload)
		if err != nil {
			return err
		}
		return fn(rec)
	})
}

// BadRecord is where the audit trail does not hold: the first record that is
// not what was written, or that is missing.
type BadRecord struct {
	Seq    uint64
	Reason string
	Err    error // what reading it gave, or nil
}

func (b *BadRecord) Error() string {
	return fmt.Sprintf("audit record %d: %s", b.Seq, b.Reason)
}

// Unwrap gives what reading the record gave.
func (b *BadRecord) Unwrap() error { return b.Err }

// Is makes a BadRecord an ErrCorrupt.
func (b *BadRecord) Is(target error) bool { return target == ErrCorrupt }

const auditPage = 4096 // records verified in one View

// VerifyAudit walks the trail from the first record to the head that stood
// when it began, and gives their number and the head. The error is a
// *BadRecord that names the first record that does not hold. A trail whose
// end and head were both put back is whole in itself: compare n and head with
// those that were printed elsewhere.
func (s *Store) VerifyAudit(ctx context.Context) (n uint64, head string, err error) {
	var last uint64
	var want, prev [sha256.Size]byte
	err = s.View(ctx, func(tx *Tx) error {
		last, want, err = tx.auditHead()
		if err != nil {
			return err
		}
		return tx.beyondAudit(last)
	})
	if err != nil {
		return 0, "", err
	}
	for n < last && err == nil {
		if err = ctx.Err(); err != nil {
			break
		}
		err = s.View(ctx, func(tx *Tx) error {
			end := min(n+auditPage, last)
			var bad error
			err := tx.r.Scan(bucketAudit, auditKey(n+1), auditKey(end+1), func(key, rec []byte) error {
				prev, bad = verifyAudit(n+1, prev, key, rec)
				if bad != nil {
					return errStop
				}
				n++
				return nil
			})
			switch {
			case bad != nil:
				return bad
			case err != nil:
				return &BadRecord{n + 1, "it cannot be read", err}
			case n != end:
				return &BadRecord{n + 1, "it is missing", nil}
			}
			return nil
		})
	}
	if err == nil && prev != want {
		err = &BadRecord{last, "its hash is not the head's", nil}
	}
	return n, hex.EncodeToString(prev[:]), err
}

// beyondAudit says whether records stand behind the head.
func (tx *Tx) beyondAudit(last uint64) error {
	return tx.r.Scan(bucketAudit, auditKey(last+1), nil, func(key, _ []byte) error {
		return &BadRecord{last + 1, "it stands behind the head of the trail", nil}
	})
}

// verifyAudit proves one record and gives its hash.
func verifyAudit(seq uint64, prev [sha256.Size]byte, key, rec []byte) (hash [sha256.Size]byte, err error) {
	if !bytes.Equal(key, auditKey(seq)) {
		return hash, &BadRecord{seq, "it is missing", nil}
	}
	payload, err := open(bucketAudit, key, rec, auditVersion)
	if err != nil {
		return hash, &BadRecord{seq, "it is damaged", err}
	}
	r, stored, body, err := decodeAudit(key, payload)
	switch {
	case err != nil:
		return hash, &BadRecord{seq, "it is damaged", err}
	case r.Seq != seq:
		return hash, &BadRecord{seq, fmt.Sprintf("it calls itself %d", r.Seq), nil}
	case r.Prev != hex.EncodeToString(prev[:]):
		return hash, &BadRecord{seq, "it does not follow the one before", nil}
	}
	hash = auditHash(prev[:], body)
	if !bytes.Equal(hash[:], stored) {
		return hash, &BadRecord{seq, "its hash is not that of its content", nil}
	}
	return hash, nil
}
