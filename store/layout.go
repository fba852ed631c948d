package store

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"tickler/calendar"
	"tickler/loan"
)

// The layout of the store, Schema 1 (migrate.go). A | stands between parts of a key and is
// not itself written. Every value is a sealed record (seal.go).
//
//	bucket    key                              value
//	meta      "meta"                           Meta, JSON
//	meta      "audit"                          head of the audit trail: seq 8 | hash 32
//	seq       name                             last number given out, 8 bytes
//	dict      number, 4 bytes                  a string that many records name (dict.go)
//
//	dossier   borrower id                      loan.Dossier, binary (dossier_codec.go)
//	owner     kind 1 | id                      borrower id of a loan or a collateral
//	row       table 00 01 | id                 JSON: branches, staff, groups and small things
//	import    data date 4 | digest             Import, JSON
//	datadate  branch id                        its newest data date, 4 bytes
//	event     unit 00 01 | day 4 | event id    loan.Event, JSON
//	eventid   event id                         day 4 | unit
//
//	plan      unit                             Plan, binary (plan_codec.go)
//	dirty     unit                             why it is to be derived again, or nothing
//	post      index 1 | cell 00 01 | member    chunk of members (postings.go)
//
//	audit     seq 8                            hash 32 | Record, JSON (audit.go)
//	outbox    message id 8                     Message, JSON: to be sent
//	sent      message id 8                     Message, JSON: sent, or given up
//	doc       kind 00 01 | digest              a rulebook or a calendar, deflated
//	active    moment 8 | kind 00 01 | digest   Activation, JSON
//
// A unit is a kind letter and an id: bC001. Text that is followed by another
// part has each 00 written as 00 FF and ends with 00 01, which keeps the
// order of the bytes. Numbers and days are big endian; a day has its sign bit
// turned, so that days sort too.
//
// The indexes are postings: a cell holds members in order.
//
//	index  cell                    member
//	d      branch 00 01 | due 4    rank 1 | unit    an open obligation falls due; rank 1 where
//	                                                the unit stands in another branch that day too
//	r      raise 4                 unit             a planned obligation is to be raised
//	u      nudge 4                 unit             somebody is to be told of a raised obligation
//	n      next 4                  unit             deriving may change from that day
//	s      4 hex digits            unit             short names begin so (obligation.ShortSubject)
//	b      branch                  borrower id      some newest loan, or the customer row, is there
//	o      officer                 borrower id      likewise, or the risk manager of the customer row
//	g      guarantor               borrower id      guarantees one of the borrower's loans
//	c      loan                    borrower id      another's, whose collateral secures the loan
//	z      class 1 | name          seq 8            an audit record is about it (audit_index.go)
const (
	bucketMeta     = "meta"
	bucketSeq      = "seq"
	bucketDict     = "dict"
	bucketDossier  = "dossier"
	bucketOwner    = "owner"
	bucketRow      = "row"
	bucketImport   = "import"
	bucketDataDate = "datadate"
	bucketEvent    = "event"
	bucketEventID  = "eventid"
	bucketPlan     = "plan"
	bucketDirty    = "dirty"
	bucketPost     = "post"
	bucketAudit    = "audit"
	bucketOutbox   = "outbox"
	bucketSent     = "sent"
	bucketDoc      = "doc"
	bucketActive   = "active"
)

// Buckets lists every bucket that a Store uses, in the order of their names.
var Buckets = []string{
	bucketActive, bucketAudit, bucketDataDate, bucketDict, bucketDirty,
	bucketDoc, bucketDossier, bucketEvent, bucketEventID, bucketImport,
	bucketMeta, bucketOutbox, bucketOwner, bucketPlan, bucketPost, bucketRow,
	bucketSent, bucketSeq,
}

// bucketTitle is what people call the records of a bucket.
func bucketTitle(bucket string) string {
	switch bucket {
	case bucketMeta:
		return "head record"
	case bucketDossier:
		return "dossier of borrower"
	case bucketPlan:
		return "plan of"
	case bucketPost:
		return "index record"
	case bucketAudit:
		return "audit record"
	case bucketDoc:
		return "document"
	}
	return bucket + " record"
}

// The letters of kinds within keys; never to be changed.
var kindLetters = map[loan.Kind]byte{
	loan.KindLoan:       'l',
	loan.KindBorrower:   'b',
	loan.KindGuarantor:  'u',
	loan.KindCollateral: 'c',
	loan.KindGroup:      'g',
	loan.KindBranch:     'r',
	loan.KindOfficer:    'o',
}

var letterKinds = func() (t [256]loan.Kind) {
	for k, b := range kindLetters {
		t[b] = k
	}
	return t
}()

// refKey is the key of a thing: its kind's letter and its id.
func refKey(r loan.Ref) ([]byte, error) {
	b, ok := kindLetters[r.Kind]
	if !ok || r.ID == "" {
		return nil, fmt.Errorf("store: %q cannot be a key", r.String())
	}
	return append(append(make([]byte, 0, 1+len(r.ID)), b), r.ID...), nil
}

// UnitsInOrder gives the units of both lists, each once, in the order of their
// keys: who works on many in that order reads and writes the store in one pass.
func UnitsInOrder(a, b []loan.Ref) []loan.Ref {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(a, b loan.Ref) int {
		return cmp.Or(cmp.Compare(kindLetters[a.Kind], kindLetters[b.Kind]), strings.Compare(a.ID, b.ID))
	})
	return slices.Compact(all)
}

// unitKey is refKey for the units that are derived as a whole.
func unitKey(unit loan.Ref) ([]byte, error) {
	switch unit.Kind {
	case loan.KindBorrower, loan.KindBranch, loan.KindOfficer, loan.KindGroup:
		return refKey(unit)
	}
	return nil, fmt.Errorf("store: %q is no unit; want a borrower, branch, officer or group", unit.String())
}

// parseRef reads what refKey wrote.
func parseRef(key []byte) (loan.Ref, bool) {
	if len(key) < 2 || letterKinds[key[0]] == "" {
		return loan.Ref{}, false
	}
	return loan.Ref{Kind: letterKinds[key[0]], ID: string(key[1:])}, true
}

// appendText writes text that another part follows.
func appendText(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		b = append(b, s[i])
		if s[i] == 0 {
			b = append(b, 0xff)
		}
	}
	return append(b, 0, 1)
}

// cutText reads what appendText wrote and gives what follows it.
func cutText(b []byte) (s string, rest []byte, ok bool) {
	for i := 0; i < len(b)-1; i++ {
		if b[i] != 0 {
			continue
		}
		if b[i+1] == 1 {
			return string(unescape(b[:i])), b[i+2:], true
		}
		if b[i+1] != 0xff {
			return "", nil, false
		}
		i++
	}
	return "", nil, false
}

func unescape(b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if b[i] == 0 { // rare: copy from here on
			out := append([]byte(nil), b[:i]...)
			for ; i < len(b); i++ {
				out = append(out, b[i])
				if b[i] == 0 {
					i++
				}
			}
			return out
		}
	}
	return b
}

const signBit = 1 << 31

func appendDay(b []byte, d calendar.Date) []byte {
	return binary.BigEndian.AppendUint32(b, uint32(d)^signBit)
}

func cutDay(b []byte) (d calendar.Date, rest []byte, ok bool) {
	if len(b) < 4 {
		return 0, nil, false
	}
	return calendar.Date(binary.BigEndian.Uint32(b) ^ signBit), b[4:], true
}

// prefixEnd is the first key after all that begin with the prefix; nil is the
// end of the bucket.
func prefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			end := append([]byte(nil), prefix[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}
