package ledger

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"unicode/utf8"
)

// What systems write as a sheet is a small part of XML: elements with quoted
// attributes, texts, and the five named entities. Such a sheet is plain, and is
// read here, twenty times as fast as by encoding/xml and excelize. Any other -
// and any with something odd in it, if it is only a cell without its place - is
// left to them, whole: so a sheet is first gone through to its end. What a plain
// sheet says must be what they would have read (TestPlainSheetsReadAsExcelize).

// errNotPlain leaves a part to the general way.
var errNotPlain = errors.New("not plain")

// tags splits a plain part into tags and the texts before them.
type tags struct {
	r     io.Reader
	buf   []byte
	pos   int // in buf, of what was not given yet
	end   int // of what was read
	eof   bool
	open  []byte // names of the open elements, each behind a /
	begun bool
}

// next gives the next tag without its brackets and the text before it, both
// good until the next call; io.EOF at the end, errNotPlain where it is not.
func (t *tags) next() (text, tag []byte, err error) {
	from := t.pos
	for {
		i := bytes.IndexByte(t.buf[from:t.end], '<')
		if i >= 0 {
			i += from
			if j := bytes.IndexByte(t.buf[i:t.end], '>'); j >= 0 {
				text, tag = t.buf[t.pos:i], t.buf[i+1:i+j]
				t.pos = i + j + 1
				return text, tag, nil
			}
		}
		if t.eof {
			if i >= 0 || len(bytes.TrimSpace(t.buf[t.pos:t.end])) > 0 || len(t.open) > 0 || !t.begun {
				return nil, nil, errNotPlain
			}
			return nil, nil, io.EOF
		}
		from = t.more(from)
	}
}

const maxToken = 1 << 20

// mainSpace is the name space of a plain part, which its root names.
const mainSpace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

// more reads on, and says where from is now.
func (t *tags) more(from int) int {
	if t.pos > 0 {
		copy(t.buf, t.buf[t.pos:t.end])
		t.end, from, t.pos = t.end-t.pos, from-t.pos, 0
	}
	if t.end == len(t.buf) {
		if len(t.buf) >= maxToken {
			t.eof = true
			return from
		}
		t.buf = append(t.buf, make([]byte, max(64<<10, len(t.buf)))...)
	}
	n, err := t.r.Read(t.buf[t.end:])
	t.end += n
	t.eof = err != nil // a part that ends too soon has elements open
	return from
}

// element is a tag as far as it matters here.
type element struct {
	name  []byte
	close bool // </c>
	alone bool // <c/>
	attrs []byte
}

// parse reads a tag, and keeps count of what is open.
func (t *tags) parse(tag []byte) (e element, err error) {
	if !t.begun {
		t.begun = true
		if bytes.HasPrefix(tag, []byte("?xml ")) && bytes.HasSuffix(tag, []byte("?")) {
			if i := bytes.Index(tag, []byte("encoding=")); i >= 0 && !bytes.HasPrefix(bytes.ToLower(tag[i+len("encoding=")+1:]), []byte("utf-8")) {
				return e, errNotPlain
			}
			return element{}, nil
		}
	}
	if e.close = len(tag) > 0 && tag[0] == '/'; e.close {
		tag = tag[1:]
	} else if e.alone = len(tag) > 0 && tag[len(tag)-1] == '/'; e.alone {
		tag = tag[:len(tag)-1]
	}
	n := 0
	for n < len(tag) && nameByte(tag[n]) {
		n++
	}
	e.name, e.attrs = tag[:n], tag[n:]
	if n == 0 || tag[0] < 'A' || !soundText(e.attrs) {
		return e, errNotPlain
	}
	named := e.close || len(t.open) > 0
	for rest := e.attrs; ; {
		name, value, more, ok := attr(rest)
		if !ok {
			if len(bytes.TrimLeft(rest, " \t\n")) > 0 {
				return e, errNotPlain
			}
			break
		}
		if rest = more; string(name) == "xmlns" {
			if named || string(value) != mainSpace {
				return e, errNotPlain
			}
			named = true
		}
	}
	if !named {
		return e, errNotPlain
	}
	switch {
	case e.close:
		i := bytes.LastIndexByte(t.open, '/')
		if i < 0 || !bytes.Equal(t.open[i+1:], e.name) || len(e.attrs) > 0 {
			return e, errNotPlain
		}
		t.open = t.open[:i]
	case !e.alone:
		t.open = append(append(t.open, '/'), e.name...)
	}
	return e, nil
}

func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == ':' || c == '_' || c == '-' || c == '.'
}

// attr takes the first attribute off a tag's rest. ok is false where there is
// no more, or no sound one.
func attr(b []byte) (name, value, rest []byte, ok bool) {
	i := 0
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t') {
		i++
	}
	from := i
	for i < len(b) && nameByte(b[i]) {
		i++
	}
	if from == 0 || i == from || b[from] < 'A' || i+1 >= len(b) || b[i] != '=' || b[i+1] != '"' {
		return nil, nil, b, false
	}
	n := bytes.IndexByte(b[i+2:], '"')
	if n < 0 {
		return nil, nil, b, false
	}
	value = b[i+2 : i+2+n]
	if bytes.IndexByte(value, '<') >= 0 || bytes.IndexByte(value, '&') >= 0 {
		return nil, nil, b, false
	}
	return b[from:i], value, b[i+3+n:], true
}

// soundText says that a text has no character that XML forbids, or changes.
func soundText(b []byte) bool {
	plain := true
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\t' {
			return false
		}
		plain = plain && c < 0x80
	}
	return plain || utf8.Valid(b) && !bytes.Contains(b, []byte("\uFFFE")) && !bytes.Contains(b, []byte("\uFFFF"))
}

var entities = []struct {
	name string
	c    byte
}{{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}}

// appendPlain adds a text with its entities replaced.
func appendPlain(out, b []byte) ([]byte, error) {
	if !soundText(b) || bytes.Contains(b, []byte("]]>")) {
		return out, errNotPlain
	}
next:
	for {
		i := bytes.IndexByte(b, '&')
		if i < 0 {
			return append(out, b...), nil
		}
		out, b = append(out, b[:i]...), b[i+1:]
		for _, e := range entities {
			if bytes.HasPrefix(b, []byte(e.name)) {
				out, b = append(out, e.c), b[len(e.name):]
				continue next
			}
		}
		if c, n := charRef(b); n > 0 {
			out, b = utf8.AppendRune(out, c), b[n:]
			continue
		}
		return out, errNotPlain
	}
}

// charRef reads what follows the & of &#20511; or &#x501F; and says how long it
// is, 0 where it is none that a plain text may hold.
func charRef(b []byte) (c rune, n int) {
	end := bytes.IndexByte(b[:min(len(b), 10)], ';')
	if end < 2 || b[0] != '#' {
		return 0, 0
	}
	digits, radix := b[1:end], 10
	if digits[0] == 'x' {
		digits, radix = digits[1:], 16
	}
	v, err := strconv.ParseUint(string(digits), radix, 32)
	if err != nil || v < ' ' && v != '\n' && v != '\t' || v > utf8.MaxRune || !utf8.ValidRune(rune(v)) || v == 0xFFFE || v == 0xFFFF {
		return 0, 0
	}
	return rune(v), end + 1
}

// plainStrings reads the shared strings.
func plainStrings(part *zip.File) ([]string, error) {
	if part == nil {
		return nil, nil
	}
	r, err := part.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	t := &tags{r: io.LimitReader(r, maxUnpacked)}
	var out []string
	var b []byte
	direct, runs := 0, 0 // texts of the string itself, and runs of it
	for {
		text, tag, err := t.next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		within := string(t.open)
		if within == "/sst/si/t" || within == "/sst/si/r/t" {
			if b, err = appendPlain(b, text); err != nil {
				return nil, err
			}
		} else if len(bytes.TrimSpace(text)) > 0 {
			return nil, errNotPlain
		}
		e, err := t.parse(tag)
		if err != nil {
			return nil, err
		}
		switch name := string(e.name); {
		case name == "":
		case within == "" && !e.close && name != "sst", within == "/sst" && !e.close && name != "si", name == "rPh":
			return nil, errNotPlain
		case within == "/sst" && !e.close:
			b, direct, runs = b[:0], 0, 0
			if e.alone {
				out = append(out, "")
			}
		case within == "/sst/si" && e.close:
			if direct > 1 || direct > 0 && runs > 0 || bytes.Contains(b, []byte("_x")) {
				return nil, errNotPlain
			}
			out = append(out, string(b))
		case within == "/sst/si" && name == "t":
			direct++
		case within == "/sst/si" && name == "r":
			runs++
		case (within == "/sst/si/t" || within == "/sst/si/r/t") && !e.close:
			return nil, errNotPlain
		}
	}
}

// plainSource gives the rows of a plain sheet.
type plainSource struct {
	part    io.ReadCloser
	t       *tags
	strings []string          // shared
	odd     map[cellAt]oddity // of the row that was given
	row     int
	in      bool // sheetData
	done    bool // it is closed
	ends    []int
	buf     []byte
	cells   [][]byte
	err     error
}

func openPlain(part *zip.File, strings []string, odd map[cellAt]oddity) (*plainSource, error) {
	r, err := part.Open()
	if err != nil {
		return nil, err
	}
	return &plainSource{part: r, t: &tags{r: io.LimitReader(r, maxUnpacked)}, strings: strings, odd: odd}, nil
}

// isPlain goes through a sheet to its end.
func isPlain(part *zip.File, strings []string) bool {
	s, err := openPlain(part, strings, map[cellAt]oddity{})
	if err != nil {
		return false
	}
	defer s.close()
	for {
		if _, _, _, ok := s.next(); !ok {
			return s.err == nil && s.done
		}
	}
}

func (s *plainSource) next() (cells [][]byte, row int, bad *Problem, ok bool) {
	clear(s.odd)
	ok, s.err = s.read()
	return s.cells, s.row, nil, ok && s.err == nil
}

// read reads up to the end of a row. ok is false at the end of the sheet.
func (s *plainSource) read() (ok bool, err error) {
	for {
		text, tag, err := s.t.next()
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if len(bytes.TrimSpace(text)) > 0 && s.in || !soundText(text) || bytes.IndexByte(text, '&') >= 0 {
			return false, errNotPlain
		}
		e, err := s.t.parse(tag)
		if err != nil {
			return false, err
		}
		switch name := string(e.name); {
		case name == "sheetData":
			if s.done || s.in == !e.close || !e.close && string(s.t.open) != "/worksheet/sheetData" && !e.alone {
				return false, errNotPlain
			}
			s.in = !e.close && !e.alone
			s.done = !s.in
		case name == "row" && s.in && !e.close:
			return true, s.readRow(e)
		case s.in, name == "row", name == "c", name == "v":
			return false, errNotPlain
		}
	}
}

// readRow reads the cells of a row that was opened.
func (s *plainSource) readRow(e element) error {
	last := s.row
	s.row = 0
	for rest := e.attrs; ; {
		name, value, more, ok := attr(rest)
		if !ok {
			break
		}
		if rest = more; string(name) == "r" {
			s.row = number(value)
		}
	}
	if s.row <= last || s.row > maxRow {
		return errNotPlain
	}
	s.cells, s.ends, s.buf = s.cells[:0], s.ends[:0], s.buf[:0]
	for col := -1; !e.alone; {
		text, tag, err := s.t.next()
		if err != nil {
			return errNotPlain
		}
		cell, err := s.t.parse(tag)
		if err != nil || len(bytes.TrimSpace(text)) > 0 || !soundText(text) {
			return errNotPlain
		}
		if cell.close {
			break // the row: elements close in order
		}
		if string(cell.name) != "c" {
			return errNotPlain
		}
		if col, err = s.readCell(cell, col); err != nil {
			return err
		}
	}
	from := 0
	for _, end := range s.ends {
		s.cells = append(s.cells, s.buf[from:end])
		from = end
	}
	return nil
}

const (
	maxRow    = 1 << 20
	maxColumn = 1 << 14
)

// readCell reads a cell behind the column, and gives its own.
func (s *plainSource) readCell(c element, before int) (col int, err error) {
	var kind cellKind
	col = -1
	for rest := c.attrs; ; {
		name, value, more, ok := attr(rest)
		if !ok {
			break
		}
		switch rest = more; string(name) {
		case "r":
			row := 0
			if col, row = cellPlace(value); row != s.row {
				return 0, errNotPlain
			}
		case "t":
			if kind, ok = cellKinds[string(value)]; !ok {
				return 0, errNotPlain
			}
		}
	}
	if col <= before || col >= maxColumn {
		return 0, errNotPlain
	}
	from, values, formula, inlined := len(s.buf), 0, false, false
	for depth := len(s.t.open); !c.alone; {
		within := leaf(s.t.open)
		text, tag, err := s.t.next()
		if err != nil {
			return 0, errNotPlain
		}
		nested := len(s.t.open) > depth
		switch {
		case nested && (within == 'v' || within == 't'):
			if s.buf, err = appendPlain(s.buf, text); err != nil {
				return 0, err
			}
		case nested && within == 'f':
			if !soundText(text) {
				return 0, errNotPlain
			}
		case len(bytes.TrimSpace(text)) > 0 || !soundText(text):
			return 0, errNotPlain
		}
		e, err := s.t.parse(tag)
		if err != nil {
			return 0, err
		}
		if e.close {
			if len(s.t.open) < depth {
				break
			}
			continue
		}
		switch name := string(e.name); {
		case !nested && name == "v" && kind != kindInline:
			values++
		case !nested && name == "is" && kind == kindInline:
			values++
			inlined = true
		case !nested && name == "f":
			formula = true
		case within == 's' && name == "t":
			values++ // at most one text
		default:
			return 0, errNotPlain
		}
		if values > 2 || values > 1 && kind != kindInline {
			return 0, errNotPlain
		}
	}
	raw := s.buf[from:]
	switch {
	case kind == kindInline && bytes.Contains(raw, []byte("_x")):
		return 0, errNotPlain
	case len(raw) == 0 && !inlined:
		if formula && kind != kindText {
			s.odd[cellAt{s.row, col}] = oddFormula
		}
	case kind == kindNumber:
		if o := oddNumber(raw); o != 0 {
			s.odd[cellAt{s.row, col}] = o
		}
	case kind == kindShared:
		n := number(raw)
		if n < 0 || n >= len(s.strings) {
			return 0, errNotPlain
		}
		s.buf = append(s.buf[:from], s.strings[n]...)
	}
	if len(s.buf) > from || formula {
		for len(s.ends) < col {
			s.ends = append(s.ends, from)
		}
		s.ends = append(s.ends, len(s.buf))
	}
	return col, nil
}

// leaf is the last letter of the innermost open element, enough to tell those
// of a cell apart: v, f, is and t.
func leaf(open []byte) byte { return open[len(open)-1] }

type cellKind uint8

const (
	kindNumber cellKind = iota
	kindShared
	kindText // of a formula
	kindInline
)

var cellKinds = map[string]cellKind{"n": kindNumber, "s": kindShared, "str": kindText, "inlineStr": kindInline}

// number reads a few digits; -1 where there is anything else.
func number(b []byte) int {
	n, err := strconv.Atoi(string(b))
	if err != nil || len(b) > 9 || b[0] < '0' || b[0] > '9' {
		return -1
	}
	return n
}

// cellPlace reads AB12: column from 0, row from 1; -1 where it is none.
func cellPlace(b []byte) (col, row int) {
	i := 0
	for ; i < len(b) && i < 3 && 'A' <= b[i] && b[i] <= 'Z'; i++ {
		col = col*26 + int(b[i]-'A') + 1
	}
	return col - 1, number(b[i:])
}

func (s *plainSource) fault() error { return s.err }
func (s *plainSource) reached() int { return s.row }
func (s *plainSource) close() error { return s.part.Close() }

// seenWhole is the inspection of a plain sheet: its source tells what is odd.
func seenWhole() *inspection {
	in := &inspection{batches: make(chan batch), odd: map[cellAt]oddity{}, upTo: math.MaxInt}
	close(in.batches)
	return in
}
