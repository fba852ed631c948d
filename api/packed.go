package api

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// A long list travels between the daemon and the commands of one version in a
// packed form, for who asks for it by name (Accept); everybody else is answered
// in JSON. It says what the JSON says, in an eighth of the bytes, and neither
// side needs reflection:
//
//	uint     uvarint
//	day      varint: the difference from the row's first day, the due day; of
//	         that one from the due day of the row before
//	text     uint n: 0 is "", n <= texts seen so far is the n-th of them,
//	         n = seen+1 is a new one, and its length (uint) and bytes follow
//	plain    uint length | bytes: a text that does not come twice
//
//	reply    today day | warnings: uint count, plain each | uint rows | rows
//	row      mask uint (the constants below) | the fields in the order of pack
//
// PackedList names the form. A change of Obligation or of the form is another
// name: a client and a daemon of two versions then speak JSON.
const PackedList = "application/vnd.tickler.list; form=1"

// Packer is a reply that has a packed form.
type Packer interface{ Pack() []byte }

// unpackable reads the packed form of a reply.
type unpackable interface{ Unpack([]byte) error }

// The bits of a row's mask.
const (
	packedProvisional = 1 << iota
	packedOverdue
	packedStated
	packedParty
	packedBorrower
	packedRaisedAt
	packedSubmitted // submitted_on, submitted_by, signatures
	packedProgress
	packedSigns
	packedWaiver
	packedRest // closed_by, late, cause, level, done_on, was_due
)

// Pack gives the packed form.
func (r *ListReply) Pack() []byte {
	p := packer{b: make([]byte, 0, 1024+160*len(r.Obligations)), seen: make(map[string]uint64, 1024)}
	p.day(r.Today)
	p.uint(uint64(len(r.Warnings)))
	for _, w := range r.Warnings {
		p.plain(w)
	}
	p.uint(uint64(len(r.Obligations)))
	p.first = 0
	for i := range r.Obligations {
		p.obligation(&r.Obligations[i])
	}
	return p.b
}

type packer struct {
	b     []byte
	first calendar.Date
	seen  map[string]uint64
}

func (p *packer) uint(v uint64)       { p.b = binary.AppendUvarint(p.b, v) }
func (p *packer) int(v int64)         { p.b = binary.AppendVarint(p.b, v) }
func (p *packer) day(d calendar.Date) { p.int(int64(d) - int64(p.first)) }

func (p *packer) plain(s string) {
	if !utf8.ValidString(s) {
		s = string([]rune(s)) // as JSON has it
	}
	p.uint(uint64(len(s)))
	p.b = append(p.b, s...)
}

func (p *packer) text(s string) {
	if s == "" {
		p.uint(0)
		return
	}
	n, ok := p.seen[s]
	if ok {
		p.uint(n)
		return
	}
	n = uint64(len(p.seen) + 1)
	p.seen[s] = n
	p.uint(n)
	p.plain(s)
}

func (p *packer) texts(list []string) {
	p.uint(uint64(len(list)))
	for _, s := range list {
		p.text(s)
	}
}

func (p *packer) obligation(o *Obligation) {
	var mask uint64
	set := func(bit uint64, on bool) {
		if on {
			mask |= bit
		}
	}
	submitted := !o.SubmittedOn.IsZero() || o.SubmittedBy != "" || len(o.Signatures) > 0
	rest := o.ClosedBy != "" || o.Late != "" || o.Cause != "" || o.Level != "" || !o.DoneOn.IsZero() || !o.WasDue.IsZero()
	set(packedProvisional, o.Provisional)
	set(packedOverdue, o.Overdue)
	set(packedStated, o.Stated)
	set(packedParty, o.Party != nil)
	set(packedBorrower, o.Borrower != nil)
	set(packedRaisedAt, o.RaisedAt != nil)
	set(packedSubmitted, submitted)
	set(packedProgress, o.Progress != nil)
	set(packedSigns, len(o.Signs) > 0)
	set(packedWaiver, o.Waiver != nil)
	set(packedRest, rest)
	p.uint(mask)

	p.plain(o.ID)
	p.plain(o.Short)
	p.text(o.Rule)
	p.text(o.Name)
	p.text(o.Clause)
	p.text(o.Set)
	p.text(o.Notice)
	p.text(string(o.Subject.Kind))
	p.text(o.Subject.ID)
	p.text(o.Loan)
	p.text(o.Branch)
	p.text(o.Owner)
	p.text(o.Role)
	p.text(o.Occurrence)
	p.text(string(o.State))
	p.text(o.Rulebook)
	p.text(o.Calendar)
	p.day(o.Due)
	p.first = o.Due
	p.day(o.Anchor)
	p.day(o.Raise)
	p.day(o.PeriodEnd)
	p.int(int64(o.WorkdaysLeft))
	p.int(int64(o.LateWorkdays))
	if o.Party != nil {
		p.text(string(o.Party.Kind))
		p.text(o.Party.ID)
		p.text(o.Party.Name)
	}
	if o.Borrower != nil {
		p.text(o.Borrower.ID)
		p.text(o.Borrower.Name)
	}
	if o.RaisedAt != nil {
		p.int(o.RaisedAt.Unix())
		p.uint(uint64(o.RaisedAt.Nanosecond()))
	}
	if submitted {
		p.day(o.SubmittedOn)
		p.text(o.SubmittedBy)
		p.uint(uint64(len(o.Signatures)))
		for _, s := range o.Signatures {
			p.text(s.Role)
			p.text(s.By)
			p.day(s.On)
			p.text(s.Note)
		}
	}
	if o.Progress != nil {
		p.int(int64(o.Progress.Have))
		p.int(int64(o.Progress.Need))
		p.int(int64(o.Progress.Of))
	}
	if len(o.Signs) > 0 {
		p.texts(o.Signs)
	}
	if o.Waiver != nil {
		p.text(o.Waiver.By)
		p.day(o.Waiver.On)
		p.text(o.Waiver.Reason)
	}
	if rest {
		p.text(o.ClosedBy)
		p.text(o.Late)
		p.text(o.Cause)
		p.text(o.Level)
		p.day(o.DoneOn)
		p.day(o.WasDue)
	}
}

var errPacked = errors.New("the packed answer does not make sense")

// leastRow is what a packed row takes at least, in bytes: what a length
// announces is not believed beyond what can follow.
const leastRow = 24

// Unpack reads what Pack gave.
func (r *ListReply) Unpack(b []byte) error {
	u := unpacker{s: string(b)}
	r.Today = u.day()
	r.Warnings = make([]string, u.count(1))
	for i := range r.Warnings {
		r.Warnings[i] = u.plain()
	}
	n := u.count(leastRow)
	r.Obligations = make([]Obligation, n)
	u.named, u.moments = make([]Named, 0, n), make([]time.Time, 0, n)
	u.first = 0
	for i := range r.Obligations {
		u.obligation(&r.Obligations[i])
	}
	if u.bad || u.pos != len(u.s) {
		return errPacked
	}
	return nil
}

// unpacker reads a packed form. After a mistake every part is zero and bad is
// set.
type unpacker struct {
	s       string // texts are parts of it
	pos     int
	first   calendar.Date
	texts   []string
	signs   []string    // of the row before; rows that have the same share them
	named   []Named     // what the rows' borrowers point into
	moments []time.Time // likewise raised_at
	bad     bool
}

func (u *unpacker) fail() { u.bad, u.pos = true, len(u.s) }

func (u *unpacker) uint() uint64 {
	var v uint64
	for shift := 0; shift < 64 && u.pos < len(u.s); shift += 7 {
		c := u.s[u.pos]
		u.pos++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	u.fail()
	return 0
}

func (u *unpacker) int() int64 {
	v := u.uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (u *unpacker) day() calendar.Date {
	v := int64(u.first) + u.int()
	if v < math.MinInt32 || v > math.MaxInt32 {
		u.fail()
		return 0
	}
	return calendar.Date(v)
}

// count reads the length of a list whose parts take at least so many bytes.
func (u *unpacker) count(least int) int {
	n := u.uint()
	if n > uint64((len(u.s)-u.pos)/least) {
		u.fail()
		return 0
	}
	return int(n)
}

func (u *unpacker) plain() string {
	n := u.count(1)
	s := u.s[u.pos : u.pos+n]
	u.pos += n
	return s
}

func (u *unpacker) text() string {
	switch n := u.uint(); {
	case n == 0:
		return ""
	case n <= uint64(len(u.texts)):
		return u.texts[n-1]
	case n == uint64(len(u.texts))+1:
		s := u.plain()
		u.texts = append(u.texts, s)
		return s
	}
	u.fail()
	return ""
}

func (u *unpacker) obligation(o *Obligation) {
	mask := u.uint()
	if mask >= packedRest<<1 {
		u.fail()
	}
	has := func(bit uint64) bool { return mask&bit != 0 && !u.bad }
	o.Provisional, o.Overdue, o.Stated = has(packedProvisional), has(packedOverdue), has(packedStated)

	o.ID = u.plain()
	o.Short = u.plain()
	o.Rule = u.text()
	o.Name = u.text()
	o.Clause = u.text()
	o.Set = u.text()
	o.Notice = u.text()
	o.Subject.Kind = loan.Kind(u.text())
	o.Subject.ID = u.text()
	o.Loan = u.text()
	o.Branch = u.text()
	o.Owner = u.text()
	o.Role = u.text()
	o.Occurrence = u.text()
	o.State = obligation.State(u.text())
	o.Rulebook = u.text()
	o.Calendar = u.text()
	o.Due = u.day()
	u.first = o.Due
	o.Anchor = u.day()
	o.Raise = u.day()
	o.PeriodEnd = u.day()
	o.WorkdaysLeft = int(u.int())
	o.LateWorkdays = int(u.int())
	o.Signatures = []Signature{}
	if has(packedParty) {
		o.Party = &obligation.Party{Kind: loan.Kind(u.text()), ID: u.text(), Name: u.text()}
	}
	if has(packedBorrower) {
		u.named = append(u.named, Named{ID: u.text(), Name: u.text()})
		o.Borrower = &u.named[len(u.named)-1]
	}
	if has(packedRaisedAt) {
		u.moments = append(u.moments, time.Unix(u.int(), int64(u.uint())).UTC())
		o.RaisedAt = &u.moments[len(u.moments)-1]
	}
	if has(packedSubmitted) {
		o.SubmittedOn = u.day()
		o.SubmittedBy = u.text()
		o.Signatures = make([]Signature, u.count(4))
		for i := range o.Signatures {
			o.Signatures[i] = Signature{Role: u.text(), By: u.text(), On: u.day(), Note: u.text()}
		}
	}
	if has(packedProgress) {
		o.Progress = &obligation.Progress{Have: int(u.int()), Need: int(u.int()), Of: int(u.int())}
	}
	if has(packedSigns) {
		o.Signs = u.shared()
	}
	if has(packedWaiver) {
		o.Waiver = &obligation.Request{By: u.text(), On: u.day(), Reason: u.text()}
	}
	if has(packedRest) {
		o.ClosedBy = u.text()
		o.Late = u.text()
		o.Cause = u.text()
		o.Level = u.text()
		o.DoneOn = u.day()
		o.WasDue = u.day()
	}
}

// shared reads a list of texts. Where it is the one before, it is that one.
func (u *unpacker) shared() []string {
	var room [4]string // of any rule that ships
	list := room[:0]
	for range u.count(1) {
		list = append(list, u.text())
	}
	if !slices.Equal(list, u.signs) {
		u.signs = slices.Clone(list)
	}
	return u.signs
}
