package store

import (
	"slices"
	"strings"

	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// A plan, version 1 (codec.go says what the parts are):
//
//	facts uint | next day | rulebook name | calendar name | list of obligations
//
// An obligation:
//
//	mask uint            what follows, bit by bit (the constants below)
//	rule name | subject kind uint | subject id text
//	due day | anchor day | raise day
//	occurrence           tag uint, and what the tag asks for
//	branch name | role name | owner name | state uint
//	[...]                each part whose bit is set, in the order of the bits
const planVersion = 1

// The bits of an obligation's mask.
const (
	hasParty = iota
	hasPartyName
	hasBorrower
	hasLoan
	hasPeriodEnd
	isProvisional
	hasProgress
	hasClosed
	hasRaisedAt
	hasRaisedOn
	hasLate
	hasSubmitted
	hasDoneOn
	hasClosedBy
	hasCause
	hasWasDue
	ownRulebook // another than the plan's
	ownCalendar
	borrowerIsUnit // and not written
	loanIsSubject
	hasSign
	hasOf
	hasSubmittedBy
	hasSignatures
	hasWaiver
	hasReopened
	isAssigned
	hasNudge
	hasTold
	hasEscalated
	hasSnoozed
	maskBits
)

// stateNumbers numbers the states; never to be changed.
var stateNumbers = map[obligation.State]uint64{
	obligation.Planned: 1, obligation.Raised: 2, obligation.Submitted: 3, obligation.Done: 4,
	obligation.Waived: 5, obligation.Cancelled: 6, obligation.Lapsed: 7,
}

var numberedStates = func() (t [8]obligation.State) {
	for s, n := range stateNumbers {
		t[n] = s
	}
	return t
}()

func (e *encoder) plan(p *Plan) {
	e.uint(p.Facts)
	e.day(p.Next)
	e.name(p.Rulebook)
	e.name(p.Calendar)
	e.uint(uint64(len(p.Obligations)))
	for i := range p.Obligations {
		e.obligation(p, &p.Obligations[i])
	}
}

func (d *decoder) plan(p *Plan) {
	n := d.planHead(p)
	if n > 0 {
		p.Obligations = make([]obligation.Obligation, n)
	}
	for i := range p.Obligations {
		o := &p.Obligations[i]
		name := d.obligation(p, o)
		o.Occurrence = name.text(o.Anchor)
		if d.err != nil {
			return
		}
	}
}

// Part says which obligations of a plan are read. The zero Part is all of them.
type Part struct {
	From, To calendar.Date // due days, both included; zero To is no bound
	Open     bool          // none that has ended

	// Keep is asked of those, before the name of the occurrence is known, and
	// must not hold on to what it is given; nil wants them all.
	Keep func(*obligation.Obligation) bool

	// Each, where it is set, is given each of them instead of the plan, and may
	// read other records. What it is given is overwritten by the next; what that
	// points to may be kept.
	Each func(*Tx, *obligation.Obligation) error
}

func (part *Part) wants(due calendar.Date, s obligation.State) bool {
	return due >= part.From && (part.To.IsZero() || due <= part.To) && !(part.Open && s.Ended())
}

// planPart is plan for a part. What is not in it is passed over.
func (d *decoder) planPart(p *Plan, part *Part) {
	var o obligation.Obligation
	var g Glance
	for n := d.planHead(p); n > 0; n-- {
		pos, day0, texts := d.pos, d.day0, len(d.texts)
		if d.glance(&g); d.err != nil {
			return
		}
		if !part.wants(g.Due, g.State) {
			continue
		}
		d.pos, d.day0, d.texts = pos, day0, d.texts[:texts]
		o = obligation.Obligation{}
		name := d.obligation(p, &o)
		if d.err != nil {
			return
		}
		if part.Keep != nil && !part.Keep(&o) {
			continue
		}
		o.Occurrence = name.text(o.Anchor)
		if part.Each == nil {
			p.Obligations = append(p.Obligations, o)
		} else if err := part.Each(d.tx, &o); err != nil {
			d.err = err
			return
		}
	}
}

// Glance is what can be told of an obligation that is passed over.
type Glance struct {
	State          obligation.State
	Due, PeriodEnd calendar.Date
	Loan           string // "" for none
	Raised         bool   // it was on a desk

	subject      loan.Ref // the rest is where its plan is found
	branch       string
	raise, nudge calendar.Date
}

// Overdue is that of the obligation.
func (g *Glance) Overdue(today calendar.Date) bool {
	o := obligation.Obligation{State: g.State, Duty: obligation.Duty{Due: g.Due, PeriodEnd: g.PeriodEnd}}
	return o.Overdue(today)
}

// glance reads over an obligation, part by part as obligation does.
func (d *decoder) glance(g *Glance) {
	*g = Glance{}
	m := bits(d.uint())
	if m >= 1<<maskBits {
		d.fail()
		return
	}
	d.passName() // rule
	g.subject = d.ref()
	g.Due = d.day()
	d.day() // anchor
	g.raise = d.day()
	d.occurrence()
	g.branch = d.name()
	d.passName() // role
	d.passName() // owner
	switch n := d.uint(); {
	case n == 0:
		g.State = obligation.State(d.text())
	case n < uint64(len(numberedStates)):
		g.State = numberedStates[n]
	default:
		d.fail()
	}
	if m.has(hasParty) {
		d.ref()
	}
	if m.has(hasPartyName) {
		d.text()
	}
	if m.has(hasBorrower) {
		d.text()
	}
	if m.has(hasLoan) {
		g.Loan = d.text()
	}
	if m.has(loanIsSubject) {
		g.Loan = g.subject.ID
	}
	if m.has(hasPeriodEnd) {
		g.PeriodEnd = d.day()
	}
	if m.has(hasProgress) {
		d.int()
		d.int()
	}
	if m.has(hasClosed) {
		d.day()
		d.text()
		d.text()
		d.passTime()
	}
	if g.Raised = m.has(hasRaisedAt); g.Raised {
		d.passTime()
	}
	if m.has(hasRaisedOn) {
		d.day()
	}
	if m.has(hasLate) {
		d.text()
	}
	if m.has(hasSubmitted) {
		d.day()
	}
	if m.has(hasDoneOn) {
		d.day()
	}
	if m.has(hasClosedBy) {
		d.text()
	}
	if m.has(hasCause) {
		d.text()
	}
	if m.has(hasWasDue) {
		d.day()
	}
	for _, bit := range [...]uint{ownRulebook, ownCalendar, hasSign} {
		if m.has(bit) {
			d.passName()
		}
	}
	if m.has(hasOf) {
		d.int()
	}
	if m.has(hasSubmittedBy) {
		d.passName()
	}
	if m.has(hasSignatures) {
		for range d.count(4) {
			d.passName()
			d.passName()
			d.day()
			d.text()
		}
	}
	if m.has(hasWaiver) {
		d.passName()
		d.day()
		d.text()
	}
	if m.has(hasReopened) {
		d.passTime()
	}
	if m.has(isAssigned) {
		d.passName()
	}
	if m.has(hasNudge) {
		g.nudge = d.day()
	}
	if m.has(hasTold) {
		d.day()
	}
	if m.has(hasEscalated) {
		d.passName()
	}
	if m.has(hasSnoozed) {
		d.day()
	}
	d.day0 = g.Due
}

// passName passes over a name, which need not be looked up.
func (d *decoder) passName() {
	if d.uint() == 0 {
		d.text()
	}
}

func (d *decoder) passTime() {
	d.int()
	d.uint()
}

// planHead reads what comes before the obligations, and how many they are.
func (d *decoder) planHead(p *Plan) int {
	p.Facts = d.uint()
	p.Next = d.day()
	p.Rulebook = d.name()
	p.Calendar = d.name()
	return d.count(leastObligation)
}

const leastObligation = 12 // bytes

func (e *encoder) obligation(p *Plan, o *obligation.Obligation) {
	var m bits
	m.set(hasParty, !o.Party.IsZero())
	m.set(hasPartyName, o.PartyName != "")
	m.set(borrowerIsUnit, o.Borrower != "" && p.Unit.Kind == loan.KindBorrower && o.Borrower == p.Unit.ID)
	m.set(hasBorrower, o.Borrower != "" && !m.has(borrowerIsUnit))
	m.set(loanIsSubject, o.Loan != "" && o.Loan == o.Subject.ID)
	m.set(hasLoan, o.Loan != "" && !m.has(loanIsSubject))
	m.set(hasPeriodEnd, o.PeriodEnd != 0)
	m.set(isProvisional, o.Provisional)
	m.set(hasProgress, o.Progress != obligation.Progress{})
	m.set(hasClosed, o.Closed != nil)
	m.set(hasRaisedAt, !o.RaisedAt.IsZero())
	m.set(hasRaisedOn, o.RaisedOn != 0)
	m.set(hasLate, o.Late != "")
	m.set(hasSubmitted, o.Submitted != 0)
	m.set(hasDoneOn, o.DoneOn != 0)
	m.set(hasClosedBy, o.ClosedBy != "")
	m.set(hasCause, o.Cause != "")
	m.set(hasWasDue, o.WasDue != 0)
	m.set(ownRulebook, o.Rulebook != p.Rulebook)
	m.set(ownCalendar, o.Calendar != p.Calendar)
	m.set(hasSign, len(o.Sign) > 0)
	m.set(hasOf, o.Progress.Of != 0)
	m.set(hasSubmittedBy, o.SubmittedBy != "")
	m.set(hasSignatures, len(o.Signatures) > 0)
	m.set(hasWaiver, o.Waiver != nil)
	m.set(hasReopened, !o.ReopenedAt.IsZero())
	m.set(isAssigned, o.Assigned != nil)
	m.set(hasNudge, o.Nudge != 0)
	m.set(hasTold, o.Told != 0)
	m.set(hasEscalated, len(o.Escalated) > 0)
	m.set(hasSnoozed, o.Snoozed != 0)

	e.uint(uint64(m))
	e.name(o.Rule)
	e.ref(o.Subject)
	e.day(o.Due)
	e.day(o.Anchor)
	e.day(o.Raise)
	e.occurrence(o.Occurrence, o.Anchor)
	e.name(o.Branch)
	e.name(o.Role)
	e.name(o.Owner)
	n := stateNumbers[o.State]
	e.uint(n)
	if n == 0 {
		e.text(string(o.State))
	}

	if m.has(hasParty) {
		e.ref(o.Party)
	}
	if m.has(hasPartyName) {
		e.text(o.PartyName)
	}
	if m.has(hasBorrower) {
		e.text(o.Borrower)
	}
	if m.has(hasLoan) {
		e.text(o.Loan)
	}
	if m.has(hasPeriodEnd) {
		e.day(o.PeriodEnd)
	}
	if m.has(hasProgress) {
		e.int(int64(o.Progress.Have))
		e.int(int64(o.Progress.Need))
	}
	if m.has(hasClosed) {
		e.day(o.Closed.On)
		e.text(o.Closed.Event)
		e.text(o.Closed.By)
		e.time(o.Closed.At)
	}
	if m.has(hasRaisedAt) {
		e.time(o.RaisedAt)
	}
	if m.has(hasRaisedOn) {
		e.day(o.RaisedOn)
	}
	if m.has(hasLate) {
		e.text(o.Late)
	}
	if m.has(hasSubmitted) {
		e.day(o.Submitted)
	}
	if m.has(hasDoneOn) {
		e.day(o.DoneOn)
	}
	if m.has(hasClosedBy) {
		e.text(o.ClosedBy)
	}
	if m.has(hasCause) {
		e.text(o.Cause)
	}
	if m.has(hasWasDue) {
		e.day(o.WasDue)
	}
	if m.has(ownRulebook) {
		e.name(o.Rulebook)
	}
	if m.has(ownCalendar) {
		e.name(o.Calendar)
	}
	if m.has(hasSign) {
		e.name(strings.Join(o.Sign, ","))
	}
	if m.has(hasOf) {
		e.int(int64(o.Progress.Of))
	}
	if m.has(hasSubmittedBy) {
		e.name(o.SubmittedBy)
	}
	if m.has(hasSignatures) {
		e.uint(uint64(len(o.Signatures)))
		for _, s := range o.Signatures {
			e.name(s.Role)
			e.name(s.By)
			e.day(s.On)
			e.text(s.Note)
		}
	}
	if m.has(hasWaiver) {
		e.name(o.Waiver.By)
		e.day(o.Waiver.On)
		e.text(o.Waiver.Reason)
	}
	if m.has(hasReopened) {
		e.time(o.ReopenedAt)
	}
	if m.has(isAssigned) {
		e.name(o.Assigned.Instead)
	}
	if m.has(hasNudge) {
		e.day(o.Nudge)
	}
	if m.has(hasTold) {
		e.day(o.Told)
	}
	if m.has(hasEscalated) {
		e.name(strings.Join(o.Escalated, ","))
	}
	if m.has(hasSnoozed) {
		e.day(o.Snoozed)
	}
	// Days are written as differences; the next obligation's count from this
	// one's due day, which is near.
	e.day0 = o.Due
}

// obligation reads all of an obligation but the name of its occurrence, which
// it gives apart: most readers pass over most obligations.
func (d *decoder) obligation(p *Plan, o *obligation.Obligation) (name occurrence) {
	m := bits(d.uint())
	if m >= 1<<maskBits {
		d.fail()
		return name
	}
	o.Rule = d.name()
	o.Subject = d.ref()
	o.Due = d.day()
	o.Anchor = d.day()
	o.Raise = d.day()
	name = d.occurrence()
	o.Branch = d.name()
	o.Role = d.name()
	o.Owner = d.name()
	switch n := d.uint(); {
	case n == 0:
		o.State = obligation.State(d.text())
	case n < uint64(len(numberedStates)):
		o.State = numberedStates[n]
	default:
		d.fail()
	}

	if m.has(hasParty) {
		o.Party = d.ref()
	}
	if m.has(hasPartyName) {
		o.PartyName = d.text()
	}
	if m.has(hasBorrower) {
		o.Borrower = d.text()
	}
	if m.has(borrowerIsUnit) {
		o.Borrower = p.Unit.ID
	}
	if m.has(hasLoan) {
		o.Loan = d.text()
	}
	if m.has(loanIsSubject) {
		o.Loan = o.Subject.ID
	}
	if m.has(hasPeriodEnd) {
		o.PeriodEnd = d.day()
	}
	o.Provisional = m.has(isProvisional)
	if m.has(hasProgress) {
		o.Progress.Have = int(d.int())
		o.Progress.Need = int(d.int())
	}
	if m.has(hasClosed) {
		o.Closed = &obligation.Closing{On: d.day(), Event: d.text(), By: d.text(), At: d.time()}
	}
	if m.has(hasRaisedAt) {
		o.RaisedAt = d.time()
	}
	if m.has(hasRaisedOn) {
		o.RaisedOn = d.day()
	}
	if m.has(hasLate) {
		o.Late = d.text()
	}
	if m.has(hasSubmitted) {
		o.Submitted = d.day()
	}
	if m.has(hasDoneOn) {
		o.DoneOn = d.day()
	}
	if m.has(hasClosedBy) {
		o.ClosedBy = d.text()
	}
	if m.has(hasCause) {
		o.Cause = d.text()
	}
	if m.has(hasWasDue) {
		o.WasDue = d.day()
	}
	o.Rulebook, o.Calendar = p.Rulebook, p.Calendar
	if m.has(ownRulebook) {
		o.Rulebook = d.name()
	}
	if m.has(ownCalendar) {
		o.Calendar = d.name()
	}
	if m.has(hasSign) {
		o.Sign = d.roles(d.name())
	}
	if m.has(hasOf) {
		o.Progress.Of = int(d.int())
	}
	if m.has(hasSubmittedBy) {
		o.SubmittedBy = d.name()
	}
	if m.has(hasSignatures) {
		o.Signatures = make([]obligation.Signature, d.count(4))
		for i := range o.Signatures {
			o.Signatures[i] = obligation.Signature{Role: d.name(), By: d.name(), On: d.day(), Note: d.text()}
		}
	}
	if m.has(hasWaiver) {
		o.Waiver = &obligation.Request{By: d.name(), On: d.day(), Reason: d.text()}
	}
	if m.has(hasReopened) {
		o.ReopenedAt = d.time()
	}
	if m.has(isAssigned) {
		o.Assigned = &obligation.Assignment{Instead: d.name()}
	}
	if m.has(hasNudge) {
		o.Nudge = d.day()
	}
	if m.has(hasTold) {
		o.Told = d.day()
	}
	if m.has(hasEscalated) {
		o.Escalated = strings.Split(d.name(), ",")
	}
	if m.has(hasSnoozed) {
		o.Snoozed = d.day()
	}
	d.day0 = o.Due
	return name
}

// roles cuts a list of roles. Obligations of one plan share it.
func (d *decoder) roles(list string) []string {
	if d.cut == nil || list != d.list {
		d.list, d.cut = list, slices.Clip(strings.Split(list, ","))
	}
	return d.cut
}

// kindNumbers numbers the kinds; never to be changed. 0 is no kind known here,
// and a text follows.
var kindNumbers = map[loan.Kind]uint64{
	loan.KindLoan: 1, loan.KindBorrower: 2, loan.KindGuarantor: 3, loan.KindCollateral: 4,
	loan.KindGroup: 5, loan.KindBranch: 6, loan.KindOfficer: 7,
}

var numberedKinds = func() (t [8]loan.Kind) {
	for k, n := range kindNumbers {
		t[n] = k
	}
	return t
}()

func (e *encoder) ref(r loan.Ref) {
	n := kindNumbers[r.Kind]
	e.uint(n)
	if n == 0 {
		e.text(string(r.Kind))
	}
	e.text(r.ID)
}

func (d *decoder) ref() (r loan.Ref) {
	switch n := d.uint(); {
	case n == 0:
		r.Kind = loan.Kind(d.text())
	case n < uint64(len(numberedKinds)):
		r.Kind = numberedKinds[n]
	default:
		d.fail()
	}
	r.ID = d.text()
	return r
}

// The tags of an occurrence. A period is written as its year and its number
// within it; whatever does not come back to the letter is text.
const (
	occText     = iota // text
	occAnchor          // the anchor's date
	occDate            // day
	occYear            // 2026: int year
	occMonth           // 2026-11: int year | uint month
	occQuarter         // 2026-Q4
	occHalfYear        // 2026-H2
	occWeek            // 2026-W47
	occFirst           // 2026-11-A
	occSecond          // 2026-11-B
)

func (e *encoder) occurrence(s string, anchor calendar.Date) {
	if len(s) == 10 {
		if d, err := calendar.ParseDate(s); err == nil {
			if d == anchor {
				e.uint(occAnchor)
				return
			}
			e.uint(occDate)
			e.day(d)
			return
		}
	}
	if tag, year, n := cutPeriod(s); tag != occText {
		e.uint(tag)
		e.int(int64(year - epochYear))
		if tag != occYear {
			e.uint(uint64(n))
		}
		return
	}
	e.uint(occText)
	e.text(s)
}

const epochYear = 2026 // the years near it take a byte

// occurrence is the name of one, not yet written out.
type occurrence struct {
	tag     uint64
	year, n int
	day     calendar.Date
	plain   string
}

func (d *decoder) occurrence() (name occurrence) {
	name.tag = d.uint()
	switch name.tag {
	case occText:
		name.plain = d.text()
		return name
	case occAnchor:
		return name
	case occDate:
		name.day = d.day()
		return name
	}
	if name.tag > occSecond {
		d.fail()
		return occurrence{}
	}
	year, n := d.int()+epochYear, uint64(0)
	if name.tag != occYear {
		n = d.uint()
	}
	if year < 0 || year > 9999 || n > 99 {
		d.fail()
		return occurrence{}
	}
	name.year, name.n = int(year), int(n)
	return name
}

// text writes it out.
func (name *occurrence) text(anchor calendar.Date) string {
	switch name.tag {
	case occText:
		return name.plain
	case occAnchor:
		return anchor.String()
	case occDate:
		return name.day.String()
	}
	return period(name.tag, name.year, name.n)
}

func digit(n int) byte { return byte('0' + n%10) }

// period writes a period's name.
func period(tag uint64, year, n int) string {
	b := [10]byte{digit(year / 1000), digit(year / 100), digit(year / 10), digit(year), '-'}
	two := func(at int) { b[at], b[at+1] = digit(n/10), digit(n) }
	switch tag {
	case occYear:
		return string(b[:4])
	case occMonth:
		two(5)
		return string(b[:7])
	case occQuarter, occHalfYear:
		b[5], b[6] = 'Q', digit(n)
		if tag == occHalfYear {
			b[5] = 'H'
		}
		return string(b[:7])
	case occWeek:
		b[5] = 'W'
		two(6)
		return string(b[:8])
	}
	two(5)
	b[7], b[8] = '-', 'A'
	if tag == occSecond {
		b[8] = 'B'
	}
	return string(b[:9])
}

// cutPeriod reads a period's name; occText is what period would not write so.
func cutPeriod(s string) (tag uint64, year, n int) {
	num := func(s string) int {
		v := 0
		for i := range len(s) {
			v = v*10 + int(s[i]-'0')
			if s[i] < '0' || s[i] > '9' {
				return -1
			}
		}
		return v
	}
	if len(s) < 4 || len(s) > 4 && (len(s) < 7 || s[4] != '-') {
		return occText, 0, 0
	}
	year = num(s[:4])
	switch {
	case len(s) == 4:
		tag = occYear
	case len(s) == 7 && s[5] == 'Q':
		tag, n = occQuarter, num(s[6:])
	case len(s) == 7 && s[5] == 'H':
		tag, n = occHalfYear, num(s[6:])
	case len(s) == 7:
		tag, n = occMonth, num(s[5:])
	case len(s) == 8 && s[5] == 'W':
		tag, n = occWeek, num(s[6:])
	case len(s) == 9 && s[7:] == "-A":
		tag, n = occFirst, num(s[5:7])
	case len(s) == 9 && s[7:] == "-B":
		tag, n = occSecond, num(s[5:7])
	}
	if tag == occText || year < 0 || n < 0 || period(tag, year, n) != s {
		return occText, 0, 0
	}
	return tag, year, n
}
