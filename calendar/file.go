package calendar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// File is a calendar file that was read and is sound in itself: notices,
// perhaps the statutory festivals, perhaps the bank's own days.
type File struct {
	sources   []source // notices and overlay entries, as they stand in the file
	statutory *statutory
}

// Notice is what one document decided: a notice of the State Council, or an
// entry of the bank's own overlay.
type Notice struct {
	Number string // document number, 国办发明电〔2025〕7号; of an overlay entry its source
	Issued Date
	Year   int    // the year it is for; 0 for an overlay entry
	Note   string // a remark on the source, often ""
	Off    []Span // days off
	Work   []Span // make-up workdays (调休上班)
}

// Span is a run of days under one name.
type Span struct {
	First, Last Date // both included
	Name        string
}

// source is a Notice with its places in the file. Its spans are sorted by day
// and do not overlap.
type source struct {
	overlay bool
	number  string
	issued  Date
	year    int
	note    string
	spans   []span
	at      place
}

type span struct {
	Span
	work bool
	at   place
}

// statutory are the festivals by law, for years whose notice is not out.
type statutory struct {
	law   string
	fixed []fixedSpan    // the same days every year
	years map[int][]span // the moving ones
	order []int          // the years, ascending
	at    place
}

type fixedSpan struct {
	month       time.Month
	first, last int // days of the month, both included
	name        string
}

// The years a notice can be for. The State Council's yearly notices have had
// their present form, and have been kept without a gap, since that for 2007.
const (
	firstYear = 2007
	lastYear  = 2099
)

// longestSpan bounds a span, in days. The longest ever was 10 (2020).
const longestSpan = 31

// Parse reads a calendar file. The error is Mistakes: everything that is wrong
// with the file on its own; what only shows beside other notices comes from
// New and With. The name is for messages.
func Parse(name string, data []byte) (*File, error) {
	f, ms := parse(name, data)
	if err := ms.err(); err != nil {
		return nil, err
	}
	return f, nil
}

func parse(name string, data []byte) (*File, Mistakes) {
	root, ms := readYAML(name, data)
	p := &parser{file: name, Mistakes: ms}
	f := &File{}
	if root != nil {
		p.top(root, f)
	}
	return f, p.Mistakes
}

type parser struct {
	file string
	Mistakes
}

func (p *parser) at(n *yaml.Node) place { return place{p.file, n.Line, n.Column} }

// Calendar files are mappings with few keys; want lists them in this order.
var (
	topKeys       = []string{"version", "statutory", "notices", "overlay"}
	statutoryKeys = []string{"source", "fixed", "moving"}
	noticeKeys    = []string{"number", "issued", "year", "note", "off", "work"}
	overlayKeys   = []string{"source", "issued", "note", "off", "work"}
)

func (p *parser) top(root *yaml.Node, f *File) {
	m := p.fields(root, "the file", topKeys)
	if m == nil {
		return
	}
	if n := m["version"]; n == nil {
		p.add(p.at(root), "version is missing; want version: 1")
	} else if v, ok := p.scalar(n, "version"); ok && v != "1" {
		p.add(p.at(n), "version %q: want 1", v)
	}
	if n := m["statutory"]; n != nil {
		f.statutory = p.statutory(n)
	}
	if m["statutory"] == nil && m["notices"] == nil && m["overlay"] == nil {
		p.add(p.at(root), "nothing in it; want notices, overlay or statutory")
	}
	for _, key := range []string{"notices", "overlay"} {
		seen := map[string]int{} // number -> line
		for _, n := range p.list(m[key], key) {
			s, ok := p.source(n, key == "overlay")
			if line, twice := seen[s.number]; twice && s.number != "" {
				p.add(s.at, "%q is given twice; first in line %d", s.number, line)
				continue
			}
			seen[s.number] = s.at.line
			if ok {
				f.sources = append(f.sources, s)
			}
		}
	}
}

// source reads a notice or an overlay entry; it is not ok if its place among
// the others is unknown.
func (p *parser) source(n *yaml.Node, overlay bool) (source, bool) {
	s := source{overlay: overlay, at: p.at(n)}
	what, idKey, keys := "a notice", "number", noticeKeys
	if overlay {
		what, idKey, keys = "an overlay entry", "source", overlayKeys
	}
	m := p.fields(n, what, keys)
	if m == nil {
		return s, false
	}
	before := len(p.Mistakes)
	if id := p.need(n, m, idKey, what); id != nil {
		s.at = p.at(id)
		s.number, _ = p.text(id, idKey)
	}
	if v := p.need(n, m, "issued", what); v != nil {
		s.issued = p.date(v, "issued")
	}
	if v := m["note"]; v != nil {
		s.note, _ = p.text(v, "note")
	}
	first, last := MustDate(firstYear, 1, 1), MustDate(lastYear, 12, 31)
	if !overlay {
		if v := p.need(n, m, "year", what); v != nil {
			s.year = p.year(v)
		}
		if s.year == 0 {
			first, last = 0, 0 // whether its days fit is not known
		} else {
			// A yearly notice reaches into the days around its New Year and no further.
			first, last = MustDate(s.year-1, 12, 24), MustDate(s.year+1, 1, 10)
			if y := s.issued.Year(); y != 0 && y != s.year && y != s.year-1 {
				p.add(p.at(m["issued"]), "issued %s for the year %d: want a day of %d or %d", s.issued, s.year, s.year-1, s.year)
			}
		}
	}
	for _, key := range []string{"off", "work"} {
		for _, v := range p.list(m[key], key) {
			sp, ok := p.span(v, key == "work")
			if !ok {
				continue
			}
			if first != 0 && (sp.First < first || sp.Last > last) {
				p.add(sp.at, "%s is outside %s to %s", sp.Span, first, last)
				continue
			}
			s.spans = append(s.spans, sp)
		}
	}
	if m["off"] == nil && m["work"] == nil {
		p.add(s.at, "%s without off and work names no day", what)
	}
	slices.SortStableFunc(s.spans, func(a, b span) int { return int(a.First - b.First) })
	for i := 1; i < len(s.spans); i++ {
		a, b := &s.spans[i-1], &s.spans[i]
		if b.First <= a.Last {
			later, other := b, a
			if a.at.line > b.at.line || a.at.line == b.at.line && a.at.column > b.at.column {
				later, other = a, b
			}
			p.add(later.at, "%s is given twice; also in line %d", b.First, other.at.line)
		}
	}
	return s, len(p.Mistakes) == before
}

func (p *parser) statutory(n *yaml.Node) *statutory {
	m := p.fields(n, "statutory", statutoryKeys)
	if m == nil {
		return nil
	}
	s := &statutory{years: map[int][]span{}, at: p.at(n)}
	if v := p.need(n, m, "source", "statutory"); v != nil {
		s.law, _ = p.text(v, "source")
	}
	for _, v := range p.list(p.need(n, m, "fixed", "statutory"), "fixed") {
		if text, ok := p.scalar(v, "a festival"); ok {
			if f, ok := parseFixed(text); ok {
				s.fixed = append(s.fixed, f)
			} else {
				p.add(p.at(v), "festival %q: want MM-DD NAME or MM-DD..MM-DD NAME within a month", text)
			}
		}
	}
	for _, row := range p.list(p.need(n, m, "moving", "statutory"), "moving") {
		year, last := 0, Date(0)
		for _, v := range p.list(row, "a year of moving festivals") {
			sp, ok := p.span(v, false)
			if !ok {
				continue
			}
			y := sp.First.Year()
			switch {
			case y < firstYear || y > lastYear:
				p.add(sp.at, "%s is outside the years %d to %d", sp.Span, firstYear, lastYear)
				continue
			case sp.Last.Year() != y || year != 0 && y != year:
				p.add(sp.at, "%s: want days of one year in a row", sp.Span)
				continue
			case year == 0 && s.years[y] != nil:
				p.add(sp.at, "the year %d is given twice", y)
				continue
			case sp.First <= last:
				p.add(sp.at, "%s: want the festivals of a year in order of days", sp.Span)
				continue
			}
			year, last = y, sp.Last
			s.years[y] = append(s.years[y], sp)
		}
		if year != 0 {
			s.order = append(s.order, year)
		}
	}
	slices.Sort(s.order)
	return s
}

// parseFixed reads MM-DD NAME or MM-DD..MM-DD NAME.
func parseFixed(text string) (f fixedSpan, ok bool) {
	days, name, _ := strings.Cut(text, " ")
	first, last, isRange := strings.Cut(days, "..")
	if !isRange {
		last = first
	}
	a, err1 := ParseFiscal(first)
	b, err2 := ParseFiscal(last)
	name = strings.Trim(name, " ")
	ok = err1 == nil && err2 == nil && a.Month == b.Month && a.Day <= b.Day && plainText(name) == "" &&
		b.Day <= daysIn(2001, b.Month) // 29 February is not there every year
	return fixedSpan{a.Month, a.Day, b.Day, name}, ok
}

// span reads DATE NAME or DATE..DATE NAME.
func (p *parser) span(n *yaml.Node, work bool) (span, bool) {
	text, ok := p.scalar(n, "a day")
	if !ok {
		return span{}, false
	}
	at := p.at(n)
	days, name, _ := strings.Cut(text, " ")
	first, last, isRange := strings.Cut(days, "..")
	if !isRange {
		last = first
	}
	s := span{Span{Name: strings.Trim(name, " ")}, work, at}
	var err error
	if s.First, err = ParseDate(first); err == nil {
		s.Last, err = ParseDate(last)
	}
	if err != nil {
		p.add(at, "day %q: %v; want 2026-01-04 元旦 or 2026-01-01..2026-01-03 元旦", text, err)
		return span{}, false
	}
	switch why := plainText(s.Name); {
	case !isRange && strings.IndexAny(s.Name, "至到~～—–-") == 0:
		p.add(at, "day %q: a stretch of days is written with two dots: %s..2026-01-03 元旦 (两个点)", text, days)
	case s.Name == "":
		p.add(at, "day %q: the festival's name is missing; want %s 元旦", text, days)
	case why != "":
		p.add(at, "day %q: %s", text, why)
	case s.Last < s.First:
		p.add(at, "day %q: ends before it starts", text)
	case s.Last-s.First >= longestSpan:
		p.add(at, "day %q: %d days at a stretch; want at most %d", text, s.Last-s.First+1, longestSpan)
	default:
		return s, true
	}
	return span{}, false
}

// fields returns the values of a mapping by key, nil if n is none.
func (p *parser) fields(n *yaml.Node, what string, keys []string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		if n.Kind != yaml.AliasNode { // already refused
			p.add(p.at(n), "%s: want a mapping with %s", what, strings.Join(keys, ", "))
		}
		return nil
	}
	m := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode || !slices.Contains(keys, k.Value):
			p.add(p.at(k), "unknown key %q in %s; want %s%s", k.Value, what, strings.Join(keys, ", "), didYouMean(k.Value, keys))
		case m[k.Value] != nil:
			p.add(p.at(k), "%s is given twice; first in line %d", k.Value, m[k.Value].Line)
		default:
			m[k.Value] = v
		}
	}
	return m
}

// need returns the value of key, or nil and says that it is missing.
func (p *parser) need(n *yaml.Node, m map[string]*yaml.Node, key, what string) *yaml.Node {
	if m[key] == nil {
		p.add(p.at(n), "%s without %s", what, key)
	}
	return m[key]
}

// list returns the items of a list; a missing one (nil) has none.
func (p *parser) list(n *yaml.Node, what string) []*yaml.Node {
	if n == nil || n.Kind == yaml.AliasNode {
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		p.add(p.at(n), "%s: want a list that is not empty", what)
		return nil
	}
	return n.Content
}

// scalar returns the text of a scalar as it was typed: what YAML makes of 010
// or 1.5 is never asked. What it takes for nothing (null, ~) is nothing.
func (p *parser) scalar(n *yaml.Node, what string) (string, bool) {
	if n.Kind == yaml.ScalarNode && n.Value != "" && n.Tag != "!!null" {
		return n.Value, true
	}
	if n.Kind != yaml.AliasNode {
		p.add(p.at(n), "%s: want a value", what)
	}
	return "", false
}

// text reads a number or a note.
func (p *parser) text(n *yaml.Node, what string) (string, bool) {
	v, ok := p.scalar(n, what)
	if !ok {
		return "", false
	}
	if why := plainText(v); why != "" {
		p.add(p.at(n), "%s %q: %s", what, v, why)
		return "", false
	}
	return v, true
}

func (p *parser) date(n *yaml.Node, what string) Date {
	v, ok := p.scalar(n, what)
	if !ok {
		return 0
	}
	d, err := ParseDate(v)
	if err != nil {
		p.add(p.at(n), "%s: %v", what, err)
	}
	return d
}

func (p *parser) year(n *yaml.Node) int {
	v, ok := p.scalar(n, "year")
	if !ok {
		return 0
	}
	y, ok := digits(v)
	if !ok || len(v) != 4 || y < firstYear || y > lastYear {
		p.add(p.at(n), "year %q: want a year from %d to %d", v, firstYear, lastYear)
		return 0
	}
	return y
}

// plainText says what is wrong with a name that goes into tables, "" if
// nothing is.
func plainText(s string) string {
	switch {
	case utf8.RuneCountInString(s) > 80:
		return "longer than 80 characters"
	case strings.Trim(s, " ") != s:
		return "spaces around it"
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "a character that does not print"
	}
	return ""
}

// String returns 2026-01-01..2026-01-03 元旦.
func (s Span) String() string {
	if s.First == s.Last {
		return s.First.String() + " " + s.Name
	}
	return fmt.Sprintf("%s..%s %s", s.First, s.Last, s.Name)
}

// Notices returns the State Council's notices in the file, as they stand there.
func (f *File) Notices() []Notice { return exported(f.sources, false) }

// Overlay returns the bank's own entries in the file, as they stand there.
func (f *File) Overlay() []Notice { return exported(f.sources, true) }

func exported(sources []source, overlay bool) []Notice {
	var ns []Notice
	for _, s := range sources {
		if s.overlay == overlay {
			ns = append(ns, s.notice())
		}
	}
	return ns
}

// notice returns the source without its places, days joined to the longest
// spans of one name.
func (s *source) notice() Notice {
	n := Notice{Number: s.number, Issued: s.issued, Year: s.year, Note: s.note}
	for _, sp := range s.spans {
		list := &n.Off
		if sp.work {
			list = &n.Work
		}
		if k := len(*list) - 1; k >= 0 && (*list)[k].Last+1 == sp.First && (*list)[k].Name == sp.Name && sp.Last-(*list)[k].First < longestSpan {
			(*list)[k].Last = sp.Last
			continue
		}
		*list = append(*list, sp.Span)
	}
	return n
}

// sameDays reports whether two sources decide the same, whatever they call it.
func (s *source) sameDays(o *source) bool {
	return s.overlay == o.overlay && s.issued == o.issued && s.year == o.year && slices.Equal(s.days(), o.days())
}

// days returns the days named, a working one as its negative.
func (s *source) days() []Date {
	var ds []Date
	for _, sp := range s.spans {
		for d := sp.First; d <= sp.Last; d++ {
			if sp.work {
				ds = append(ds, -d)
			} else {
				ds = append(ds, d)
			}
		}
	}
	return ds
}

// text returns the canonical form of a calendar: a file from which Parse and
// New build the same one. Sources are in order of issue, days joined.
func text(st *statutory, sources []source) []byte {
	b := []byte("version: 1\n")
	list := func(key string, spans []Span) {
		if len(spans) == 0 {
			return
		}
		b = append(b, "  "+key+":\n"...)
		for _, s := range spans {
			b = append(b, "  - "+strconv.Quote(s.String())+"\n"...)
		}
	}
	if st != nil {
		b = fmt.Appendf(b, "statutory:\n  source: %q\n  fixed:\n", st.law)
		for _, f := range st.fixed {
			first, last := Fiscal{f.month, f.first}, Fiscal{f.month, f.last}
			b = fmt.Appendf(b, "  - \"%s..%s %s\"\n", first, last, quoteInner(f.name))
		}
		b = append(b, "  moving:\n"...)
		for _, y := range st.order {
			for i, s := range st.years[y] {
				lead := "    - "
				if i == 0 {
					lead = "  - - "
				}
				b = append(b, lead+strconv.Quote(s.Span.String())+"\n"...)
			}
		}
	}
	for _, overlay := range []bool{false, true} {
		head, id := "notices:\n", "number"
		if overlay {
			head, id = "overlay:\n", "source"
		}
		for i, n := range exported(sources, overlay) {
			if i == 0 {
				b = append(b, head...)
			}
			b = fmt.Appendf(b, "- %s: %q\n  issued: %s\n", id, n.Number, n.Issued)
			if !overlay {
				b = fmt.Appendf(b, "  year: %d\n", n.Year)
			}
			if n.Note != "" {
				b = fmt.Appendf(b, "  note: %q\n", n.Note)
			}
			list("off", n.Off)
			list("work", n.Work)
		}
	}
	return b
}

func quoteInner(s string) string { q := strconv.Quote(s); return q[1 : len(q)-1] }
