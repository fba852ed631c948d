package ledger

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// source gives the rows of a sheet one by one. The cells are good until the
// next call. bad is a row that cannot be split into cells; ok is false at the
// end.
type source interface {
	next() (cells [][]byte, row int, bad *Problem, ok bool)
}

// csvSource splits a CSV file (RFC 4180) into rows without copying it. It works
// on the bytes as they are, UTF-8 or GB18030: neither has a comma, a quote or a
// line end as part of a longer character.
type csvSource struct {
	data  []byte
	pos   int
	line  int // of the next row, from 1
	delim byte
	eol   byte // \n, or \r in a file that has no \n
	cells [][]byte
	buf   []byte // for quoted cells with a quote in them
}

func newCSVSource(data []byte, delim byte) *csvSource {
	s := &csvSource{data: data, line: 1, delim: delim, eol: '\n'}
	if bytes.IndexByte(data, '\n') < 0 {
		s.eol = '\r'
	}
	return s
}

func (s *csvSource) next() (cells [][]byte, row int, bad *Problem, ok bool) {
	if s.pos >= len(s.data) {
		return nil, s.line, nil, false
	}
	rest, line := s.data[s.pos:], s.line
	end := bytes.IndexByte(rest, s.eol)
	skip := end + 1
	if end < 0 {
		end, skip = len(rest), len(rest)
	}
	text := rest[:end]
	s.cells = s.cells[:0]
	if bytes.IndexByte(text, '"') < 0 {
		s.pos += skip
		s.line++
		if n := len(text); n > 0 && text[n-1] == '\r' {
			text = text[:n-1]
		}
		for {
			i := bytes.IndexByte(text, s.delim)
			if i < 0 {
				s.cells = append(s.cells, text)
				return s.cells, line, nil, true
			}
			s.cells = append(s.cells, text[:i])
			text = text[i+1:]
		}
	}
	used, bad := s.quoted(rest)
	if bad != nil {
		bad.Row = line
		if used = skip; bad.Cell == unclosed {
			used = len(rest)
		}
		bad.Cell = ""
	}
	s.line += bytes.Count(rest[:used], []byte{s.eol})
	s.pos += used
	return s.cells, line, bad, true
}

// unclosed marks the mistake after which nothing can be read.
const unclosed = "\x00"

// quoted splits one row that has quotes in it, over as many lines as it takes,
// and says how long it is.
func (s *csvSource) quoted(rest []byte) (used int, bad *Problem) {
	s.buf = s.buf[:0]
	i := 0
	for {
		formula := bytes.HasPrefix(rest[i:], []byte(`="`)) // ="0012": text that Excel must not touch
		if formula {
			i++
		}
		if i < len(rest) && rest[i] == '"' {
			i++
			from, cell := i, []byte(nil)
			for {
				q := bytes.IndexByte(rest[i:], '"')
				if q < 0 {
					return 0, &Problem{Cell: unclosed,
						Want: Text{"引号没有收尾，以下各行无法读取", "want a closing quote, nothing below could be read"},
						Hint: Text{"检查该行的引号", "see to the quotes of this row"}}
				}
				i += q + 1
				if i < len(rest) && rest[i] == '"' {
					// A quote that is part of the text: from here on the
					// cell is a copy.
					i++
					cell = append(cell, rest[from:i-1]...)
					from = i
					continue
				}
				break
			}
			if cell == nil {
				cell = rest[from : i-1]
			} else {
				cell = append(cell, rest[from:i-1]...)
			}
			s.cells = append(s.cells, unwrap(cell))
		} else {
			from := i
			for i < len(rest) && rest[i] != s.delim && rest[i] != s.eol {
				if rest[i] == '"' {
					return 0, strayQuote()
				}
				i++
			}
			cell := rest[from:i]
			if n := len(cell); n > 0 && cell[n-1] == '\r' && (i == len(rest) || rest[i] == s.eol) {
				cell = cell[:n-1]
			}
			s.cells = append(s.cells, cell)
		}
		if i < len(rest) && rest[i] == '\r' && (i+1 == len(rest) || rest[i+1] == s.eol) {
			i++
		}
		switch {
		case i >= len(rest):
			return len(rest), nil
		case rest[i] == s.eol:
			return i + 1, nil
		case rest[i] == s.delim:
			i++
		default:
			return 0, strayQuote()
		}
	}
}

func strayQuote() *Problem {
	return &Problem{
		Want: Text{"引号要包住整个单元格，其中的引号写两遍", "want quotes around a whole cell, and those inside it doubled"},
		Hint: Text{"检查该行的引号", "see to the quotes of this row"}}
}

// unwrap takes the text out of ="0012".
func unwrap(cell []byte) []byte {
	if n := len(cell); n >= 3 && cell[0] == '=' && cell[1] == '"' && cell[n-1] == '"' {
		return cell[2 : n-1]
	}
	return cell
}

// decoder turns the bytes of a cell into text; false where they are none.
type decoder func([]byte) (string, bool)

func utf8Text(b []byte) (string, bool) { return string(b), true }

// gb18030Text gives a decoder of GB18030, which holds all of GBK. The decoder
// of x/text never fails, it writes U+FFFD.
func gb18030Text() decoder {
	d := simplifiedchinese.GB18030.NewDecoder()
	var buf []byte
	return func(b []byte) (string, bool) {
		if ascii(b) {
			return string(b), true
		}
		if need := 3*len(b) + 8; len(buf) < need {
			buf = make([]byte, need)
		}
		d.Reset()
		n, used, err := d.Transform(buf, b, true)
		if err != nil || used != len(b) || bytes.Contains(buf[:n], []byte("\uFFFD")) {
			return strings.ToValidUTF8(string(buf[:n]), "\uFFFD"), false
		}
		return string(buf[:n]), true
	}
}

var utf8BOM = []byte("\xEF\xBB\xBF")

// textOf finds out how a text file is encoded: by its mark, as UTF-8 if it is
// that without a fault, else as GB18030. UTF-16 is turned into UTF-8.
func textOf(name string, data []byte) (text []byte, decode decoder, gb bool, bad *Problem) {
	if utf16 := bytes.HasPrefix(data, []byte("\xFF\xFE")) || bytes.HasPrefix(data, []byte("\xFE\xFF")); !utf16 {
		data = bytes.TrimRight(data, "\x1A") // the end of a file, as old hosts write it
	}
	switch {
	case bytes.HasPrefix(data, utf8BOM):
		text = data[len(utf8BOM):]
		if i := invalid(text); i >= 0 {
			return nil, nil, false, brokenUTF8(name, text, i)
		}
		return text, utf8Text, false, nil
	case bytes.HasPrefix(data, []byte("\xFF\xFE")), bytes.HasPrefix(data, []byte("\xFE\xFF")):
		out, _, err := transform.Bytes(unicode.BOMOverride(encoding.Nop.NewDecoder()), data)
		if err != nil || bytes.Contains(out, []byte("\uFFFD")) {
			return nil, nil, false, &Problem{File: name,
				Want: Text{"要完好的 UTF-16 文本", "want sound UTF-16 text"},
				Hint: Text{"另存为 UTF-8 的 CSV 或 .xlsx", "save it as a CSV in UTF-8, or as .xlsx"}}
		}
		return out, utf8Text, false, nil
	case bytes.IndexByte(data, 0) >= 0:
		return nil, nil, false, &Problem{File: name,
			Want: Text{"要 UTF-8、GB18030 或 GBK 的 CSV，或 .xlsx 工作簿", "want a CSV in UTF-8, GB18030 or GBK, or an .xlsx workbook"},
			Hint: Text{"文件含有零字节：是二进制文件，或没有标记的 UTF-16；另存为 UTF-8 的 CSV 或 .xlsx", "it holds zero bytes: a binary file, or UTF-16 without its mark; save it as a CSV in UTF-8, or as .xlsx"}}
	case utf8.Valid(data):
		return data, utf8Text, false, nil
	}
	return data, gb18030Text(), true, nil
}

// invalid gives the first byte that is not UTF-8, -1 if there is none.
func invalid(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

func brokenUTF8(name string, text []byte, at int) *Problem {
	return &Problem{File: name, Row: 1 + bytes.Count(text[:at], []byte("\n")),
		Want: Text{"要完好的 UTF-8 文本，该行有损坏的字节", "want sound UTF-8 text, a byte of this line is broken"},
		Hint: Text{"从系统重新导出", "export the file again"}}
}
