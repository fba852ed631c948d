package store

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"tickler/calendar"
	"tickler/obligation"
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
	About    []string        `json:"about,omitempty"` // what else it is to be found under: KIND/ID, person/ID, ids (audit_index.go)
	Detail   json.RawMessage `json:"detail,omitempty"`
	Rulebook string          `json:"rulebook,omitempty"`
	Calendar string          `json:"calendar,omitempty"`
	Prev     string          `json:"prev"`
	Hash     string          `json:"-"`

	// Of is the obligation whose id the Subject is, where whoever writes the
	// record has it at hand; nil: it is read from the Subject.
	Of *obligation.Key `json:"-"`
}

const auditVersion = 1

var auditHeadKey = []byte("audit")

// auditHead is the end of the trail: the last record's number and hash.
type auditHead struct {
	seq  uint64
	hash [sha256.Size]byte
}

func (tx *Tx) auditHead() (seq uint64, hash [sha256.Size]byte, err error) {
	if tx.head != nil {
		return tx.head.seq, tx.head.hash, nil
	}
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
	var prevHex [2 * sha256.Size]byte
	hex.Encode(prevHex[:], prev[:])
	rec.Seq, rec.Prev, rec.At = last+1, string(prevHex[:]), rec.At.UTC()
	payload, err := rec.appendJSON(append(tx.scratch[:0], prev[:]...))
	if err != nil {
		return 0, fmt.Errorf("store: audit record %q: %w", rec.Action, err)
	}
	tx.scratch = payload
	hash := sha256.Sum256(payload)
	copy(payload, hash[:]) // in the place of the one before
	if err := tx.put(bucketAudit, auditKey(rec.Seq), auditVersion, payload); err != nil {
		return 0, err
	}
	tx.postAudit(&rec)
	tx.head = &auditHead{rec.Seq, hash}
	return rec.Seq, nil
}

// appendJSON appends the record as encoding/json writes it.
func (r *Record) appendJSON(b []byte) (_ []byte, err error) {
	b = strconv.AppendUint(append(b, `{"seq":`...), r.Seq, 10)
	if b, err = appendJSONTime(append(b, `,"at":`...), r.At); err != nil {
		return nil, err
	}
	b = appendJSONDate(append(b, `,"business":`...), r.Business)
	b = appendJSONMember(b, "actor", r.Actor)
	b = appendJSONMember(b, "os_user", r.OSUser)
	b = appendJSONText(append(b, `,"action":`...), r.Action)
	b = appendJSONMember(b, "subject", r.Subject)
	for i, about := range r.About {
		if i == 0 {
			b = append(b, `,"about":[`...)
		} else {
			b = append(b, ',')
		}
		b = appendJSONText(b, about)
	}
	if len(r.About) > 0 {
		b = append(b, ']')
	}
	if len(r.Detail) > 0 {
		if b, err = appendJSONDetail(append(b, `,"detail":`...), r.Detail); err != nil {
			return nil, err
		}
	}
	b = appendJSONMember(b, "rulebook", r.Rulebook)
	b = appendJSONMember(b, "calendar", r.Calendar)
	b = appendJSONText(append(b, `,"prev":`...), r.Prev)
	return append(b, '}'), nil
}

// putHeads writes where the trail and the sequences ended up: once in a
// transaction, though a scan appends a hundred thousand records.
func (tx *Tx) putHeads() error {
	if tx.head != nil {
		if err := tx.put(bucketMeta, auditHeadKey, auditVersion, append(auditKey(tx.head.seq), tx.head.hash[:]...)); err != nil {
			return err
		}
	}
	for name, n := range tx.numbers {
		if err := tx.put(bucketSeq, []byte(name), 1, binary.BigEndian.AppendUint64(nil, n)); err != nil {
			return err
		}
	}
	return nil
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

// AuditRecord gives one record; ErrNotFound where there is none.
func (tx *Tx) AuditRecord(seq uint64) (Record, error) {
	p, err := tx.get(bucketAudit, auditKey(seq), auditVersion)
	if err == nil && p == nil {
		err = fmt.Errorf("audit record %d: %w", seq, ErrNotFound)
	}
	if err != nil {
		return Record{}, err
	}
	rec, _, _, err := decodeAudit(auditKey(seq), p)
	return rec, err
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
