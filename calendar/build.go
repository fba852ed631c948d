package calendar

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/rickar/cal/v2"
)

// The working days of a year, both included. Every year since 2007 has had
// 248 to 252; with the bank's own days it may have some more or fewer.
const (
	fewest, most                 = 245, 255
	fewestOverlaid, mostOverlaid = 235, 260
)

// Load reads a calendar file and builds the calendar from it alone. The error
// is Mistakes.
func Load(name string, data []byte) (*Calendar, error) {
	f, ms := parse(name, data)
	c, more := build(f.statutory, f.sources, len(f.sources), len(ms) == 0)
	if err := append(ms, more...).err(); err != nil {
		return nil, err
	}
	return c, nil
}

// New builds the calendar from a file alone. The error is Mistakes.
func New(f *File) (*Calendar, error) {
	c, ms := build(f.statutory, f.sources, len(f.sources), true)
	if err := ms.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// With returns a calendar that holds f as well: more notices, the bank's own
// days, or another table of festivals in place of the old one. What is loaded
// already stays as it is. The error is Mistakes.
func (c *Calendar) With(f *File) (*Calendar, error) {
	n, ms := c.with(f, true)
	if err := ms.err(); err != nil {
		return nil, err
	}
	return n, nil
}

// Add reads a calendar file and returns a calendar that holds it as well: Parse
// and With in one, so that the mistakes of both come at once.
func (c *Calendar) Add(name string, data []byte) (*Calendar, error) {
	f, ms := parse(name, data)
	n, more := c.with(f, len(ms) == 0)
	if err := append(ms, more...).err(); err != nil {
		return nil, err
	}
	return n, nil
}

func (c *Calendar) with(f *File, whole bool) (*Calendar, Mistakes) {
	var ms Mistakes
	sources := slices.Clone(c.sources)
	fresh := 0
	for _, s := range f.sources {
		at := slices.IndexFunc(c.sources, func(o source) bool { return o.overlay == s.overlay && o.number == s.number })
		switch {
		case at < 0:
			sources = append(sources, s)
			fresh++
		case !c.sources[at].sameDays(&s):
			ms.add(s.at, "%q is already loaded with other content", s.number)
		}
	}
	st := c.statutory
	if f.statutory != nil {
		st = f.statutory
	}
	n, more := build(st, sources, fresh, whole && len(ms) == 0)
	return n, append(ms, more...)
}

// build makes a calendar of sources, of which the last fresh ones are being
// added, so that a mistake is told at their place. Of an incomplete file
// (whole is false) only single days are judged, not the years.
func build(st *statutory, sources []source, fresh int, whole bool) (*Calendar, Mistakes) {
	var ms Mistakes
	isFresh := map[*source]bool{}
	order := make([]*source, len(sources)) // in order of issue, then of number
	for i := range sources {
		order[i] = &sources[i]
		isFresh[order[i]] = i >= len(sources)-fresh
	}
	slices.SortStableFunc(order, func(a, b *source) int {
		return cmp.Or(cmp.Compare(a.issued, b.issued), cmp.Compare(a.number, b.number))
	})

	b := &builder{c: &Calendar{statutory: st, why: make([]reason, 1)}, whole: whole, ms: &ms, fresh: isFresh}
	if !b.span(order) {
		return nil, ms
	}
	b.week()
	b.festivals()
	b.apply(order, false)
	if whole {
		b.checkYears(order, false)
	}
	b.apply(order, true)
	if whole {
		b.checkYears(order, true)
	}
	if len(ms) > 0 {
		return nil, ms
	}
	c := b.c
	for _, s := range order {
		c.sources = append(c.sources, *s)
	}
	c.text = text(st, c.sources)
	sum := sha256.Sum256(c.text)
	c.version = "sha256:" + hex.EncodeToString(sum[:])
	c.compile(b.work)
	return c, ms
}

// builder holds the day table while the sources are laid over each other.
type builder struct {
	c     *Calendar
	whole bool
	ms    *Mistakes
	fresh map[*source]bool // being added now
	firm  map[int]bool     // years with a notice
	work  []bool           // by day since c.first
	by    []*source        // who decided the day; nil for nobody
	marks map[reason]uint32
}

// span finds the range: from the first year with a notice through all years
// that have one or a row in the table of festivals.
func (b *builder) span(order []*source) bool {
	b.firm, b.marks = map[int]bool{}, map[reason]uint32{}
	first, last := 0, 0
	for _, s := range order {
		if s.overlay {
			continue
		}
		b.firm[s.year] = true
		if first == 0 || s.year < first {
			first = s.year
		}
	}
	if first == 0 {
		if b.whole {
			at := place{"calendar", 1, 1}
			if len(order) > 0 {
				at = order[0].at
			} else if b.c.statutory != nil {
				at = b.c.statutory.at
			}
			b.ms.add(at, "no notice at all; want at least one")
		}
		return false
	}
	known := func(y int) bool {
		return b.firm[y] || b.c.statutory != nil && b.c.statutory.years[y] != nil
	}
	for last = first; known(last + 1); last++ {
	}
	b.c.first, b.c.last = date(first, time.January, 1), date(last, time.December, 31)
	b.c.firm = b.c.first - 1
	for y := first; y <= last; y++ {
		year := Span{First: date(y, time.January, 1), Last: date(y, time.December, 31)}
		p := b.c.provisional
		switch {
		case b.firm[y] && len(p) == 0:
			b.c.firm = year.Last
		case b.firm[y]:
		case len(p) > 0 && p[len(p)-1].Last+1 == year.First:
			p[len(p)-1].Last = year.Last
		default:
			b.c.provisional = append(p, year)
		}
	}
	ok := true
	for _, s := range order {
		if !s.overlay && s.year > last {
			ok = false
			if b.whole {
				b.ms.add(s.at, "a notice for %d, but nothing is known of %d", s.year, last+1)
			}
		}
	}
	return ok
}

// week lays out Monday to Friday.
func (b *builder) week() {
	n := int(b.c.last - b.c.first + 1)
	b.work, b.by, b.c.mark = make([]bool, n), make([]*source, n), make([]uint32, n)
	for i := range b.work {
		wd := (b.c.first + Date(i)).Weekday()
		b.work[i] = wd != time.Saturday && wd != time.Sunday
	}
}

// festivals takes out the days of the law in the years without a notice.
// Nothing is bridged and no make-up day is guessed.
func (b *builder) festivals() {
	st := b.c.statutory
	for y := b.c.first.Year(); y <= b.c.last.Year(); y++ {
		if b.firm[y] {
			continue
		}
		names := map[Date]string{}
		take := func(first, last Date, name string) {
			for d := first; d <= last; d++ {
				if names[d] != "" && names[d] != name {
					name = names[d] + "、" + name // 中秋 on 1 October 2031
				}
				names[d] = name
				b.set(d, false, reason{KindStatutory, name, st.law}, nil)
			}
		}
		for _, f := range st.fixed {
			take(date(y, f.month, f.first), date(y, f.month, f.last), f.name)
		}
		for _, s := range st.years[y] {
			take(s.First, s.Last, s.Name)
		}
	}
}

// apply lays the notices, or the overlay, over the days, the later issued over
// the earlier.
func (b *builder) apply(order []*source, overlay bool) {
	for _, s := range order {
		if s.overlay != overlay {
			continue
		}
		for _, sp := range s.spans {
			for d := sp.First; d <= sp.Last; d++ {
				b.day(s, sp, d)
			}
		}
	}
}

func (b *builder) day(s *source, sp span, d Date) {
	if d < b.c.first || d > b.c.last {
		if s.overlay {
			b.ms.add(sp.at, "%s: %v, which runs from %s to %s", d, ErrBeyond, b.c.first, b.c.last)
		}
		return // the notice for the first year names days of the December before
	}
	i := d - b.c.first
	if by := b.by[i]; by != nil && by != s && by.overlay == s.overlay && by.issued == s.issued && b.work[i] != sp.work {
		at, other := sp.at, by.number
		if b.fresh[by] && !b.fresh[s] {
			at, other = by.at, s.number
		}
		b.ms.add(at, "%s: %q says otherwise and was issued on the same day; which one is later?", d, other)
		return
	}
	if wd := d.Weekday(); sp.work && b.work[i] && b.by[i] == nil && wd != time.Saturday && wd != time.Sunday {
		b.ms.add(sp.at, "%s is a %s and a working day anyway; leave it out", d, wd)
		return
	}
	kind := KindOff
	switch {
	case s.overlay:
		kind = KindOverlay
	case sp.work:
		kind = KindMakeup
	}
	b.set(d, sp.work, reason{kind, sp.Name, s.number}, s)
}

func (b *builder) set(d Date, work bool, r reason, by *source) {
	i := d - b.c.first
	m, ok := b.marks[r]
	if !ok {
		m = uint32(len(b.c.why))
		b.marks[r] = m
		b.c.why = append(b.c.why, r)
	}
	b.work[i], b.by[i], b.c.mark[i] = work, by, m
}

// checkYears refuses years that cannot be right. Without the overlay only years
// with a notice are counted, with it only those it touches.
func (b *builder) checkYears(order []*source, overlay bool) {
	low, high := fewest, most
	if overlay {
		low, high = fewestOverlaid, mostOverlaid
	}
	for y := b.c.first.Year(); y <= b.c.last.Year(); y++ {
		if !overlay && !b.firm[y] {
			continue
		}
		from, to := date(y, time.January, 1), date(y, time.December, 31)
		var blame *source // the last added one that names days of the year
		for _, s := range order {
			touches := slices.ContainsFunc(s.spans, func(sp span) bool { return sp.First <= to && sp.Last >= from })
			if s.overlay == overlay && (touches || s.year == y) && (blame == nil || b.fresh[s] || !b.fresh[blame]) {
				blame = s
			}
		}
		if blame == nil {
			continue
		}
		n := 0
		for _, w := range b.work[from-b.c.first : to-b.c.first+1] {
			if w {
				n++
			}
		}
		if n < low || n > high {
			b.ms.add(blame.at, "%d has %d working days; want %d to %d: is a day off or a make-up day missing, or one too many?", y, n, low, high)
		}
	}
}

// business returns the calendar in the form of rickar/cal, the slow and plain
// reference. The whole truth is in WorkdayFunc: a Holiday would overrule the
// make-up days, its cache is one for all calendars, and Locations are compared
// as pointers, so none is set. Days outside the table are not working days;
// ask for none.
func business(first Date, work []bool) *cal.BusinessCalendar {
	bc := cal.NewBusinessCalendar()
	bc.WorkdayFunc = func(t time.Time) bool {
		i := int(DateIn(t, time.UTC)) - int(first)
		return uint(i) < uint(len(work)) && work[i]
	}
	return bc
}

// compile asks the reference about every day once and keeps the answers as
// sums, so that a shift or a count is a look-up.
func (c *Calendar) compile(work []bool) {
	bc := business(c.first, work)
	c.rank = make([]int32, len(work)+1)
	c.days = make([]Date, 1, len(work)+1)
	for i := range work {
		d := c.first + Date(i)
		if bc.IsWorkday(d.utc()) {
			c.days = append(c.days, d)
		}
		c.rank[i+1] = int32(len(c.days) - 1)
	}
	n, _ := slices.BinarySearch(c.days, c.firm+1)
	c.upTo, c.sure = c.rank[1:], c.days[:n]
}

// utc returns noon of the day in UTC, for rickar/cal.
func (d Date) utc() time.Time {
	const epoch = 719_163 // 1970-01-01
	return time.Unix((int64(d)-epoch)*86_400+43_200, 0).UTC()
}
