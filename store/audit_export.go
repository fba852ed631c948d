package store

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"tickler/calendar"
)

// A line of an export is the record as it was hashed, with its hash as a last
// member, so that the file proves itself:
//
//	{"seq":7,…,"prev":"…","hash":"…"}
//
// Without `,"hash":"…"` and with the brace it is, byte for byte, what the
// chain runs over.

var auditLineEnd = regexp.MustCompile(`,"hash":"([0-9a-f]{64})"\}$`)

func auditLine(hash, body []byte) json.RawMessage {
	line := make([]byte, 0, len(body)+80)
	line = append(line, body[:len(body)-1]...)
	line = append(line, `,"hash":"`...)
	line = hex.AppendEncode(line, hash)
	return append(line, '"', '}')
}

// ParseAuditLine reads a line of an export. body is what was hashed: of a
// line that another program wrote anew it is what the record's content gives.
func ParseAuditLine(line []byte) (rec Record, hash, body []byte, err error) {
	line = bytes.TrimSpace(line)
	var with struct {
		Record
		Hash string `json:"hash"`
	}
	if err := json.Unmarshal(line, &with); err != nil {
		return rec, nil, nil, err
	}
	rec = with.Record
	rec.Hash = with.Hash
	if hash, err = hex.DecodeString(with.Hash); err != nil || len(hash) != 32 {
		return rec, nil, nil, errors.New("it has no hash")
	}
	if at := auditLineEnd.FindIndex(line); at != nil {
		body = append(bytes.Clone(line[:at[0]]), '}')
	}
	prev, err := hex.DecodeString(rec.Prev)
	if err != nil || len(prev) != 32 {
		return rec, nil, nil, errors.New("it names no record before it")
	}
	if sum := auditHash(prev, body); body == nil || !bytes.Equal(sum[:], hash) {
		if again, err := json.Marshal(rec); err == nil {
			body = again
		}
	}
	return rec, hash, body, nil
}

// AuditLines calls fn for at most n records from one number to another, both
// included, as the lines of an export.
func (tx *Tx) AuditLines(from, to uint64, n int, fn func(seq uint64, line json.RawMessage) error) error {
	if from > to {
		return nil
	}
	err := tx.scan(bucketAudit, auditKey(from), auditKey(to+1), auditVersion, func(key, payload []byte) error {
		if n == 0 {
			return errStop
		}
		n--
		rec, hash, body, err := decodeAudit(key, payload)
		if err != nil {
			return err
		}
		return fn(rec.Seq, auditLine(hash, body))
	})
	if err == errStop {
		err = nil
	}
	return err
}

// AuditFrom gives the number of the first record of a business day or a later
// one, or one more than the last. Business dates never go back.
func (tx *Tx) AuditFrom(day calendar.Date) (uint64, error) {
	last, _, err := tx.auditHead()
	if err != nil {
		return 0, err
	}
	low, high := uint64(1), last+1
	for low < high {
		mid := low + (high-low)/2
		rec, err := tx.AuditRecord(mid)
		if err != nil {
			return 0, err
		}
		if rec.Business < day {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, nil
}

// maxAuditLine bounds a line: a file that settles 200 000 loans names them.
const maxAuditLine = 64 << 20

// VerifyExport proves an exported file by itself: that its lines are records
// that follow one another. What the first line follows, where that is not
// record 1, and what came after the last one, only anchors tell. The error is
// a *BadRecord, or what reading gave.
func VerifyExport(r io.Reader, anchors ...Anchor) (AuditProof, error) {
	p := newProver(anchors)
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxAuditLine)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		rec, hash, body, err := ParseAuditLine(lines.Bytes())
		if err != nil {
			return p.proof, &BadRecord{Seq: p.next, Fault: FaultUnreadable, Err: fmt.Errorf("line %d: %w", n, err)}
		}
		if p.proof.Count == 0 {
			if rec.Seq > 1 {
				p.next = rec.Seq
				hex.Decode(p.hash[:], []byte(rec.Prev)) // ParseAuditLine read it
			}
			if err := p.start(); err != nil {
				return p.proof, err
			}
		}
		if rec.Seq > p.next {
			return p.proof, &BadRecord{Seq: p.next, Fault: FaultMissing}
		}
		if err := p.take(&rec, hash, body); err != nil {
			return p.proof, err
		}
	}
	if err := lines.Err(); err != nil {
		return p.proof, fmt.Errorf("read the export: %w", err)
	}
	return p.proof, p.end()
}
