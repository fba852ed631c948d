package ledger

import (
	"strings"
	"unicode"
)

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// trimASCII cuts the spaces of ASCII off both ends.
func trimASCII(b []byte) []byte {
	for len(b) > 0 && asciiSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && asciiSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func asciiSpace(c byte) bool { return c == ' ' || ('\t' <= c && c <= '\r') }

// blank says that a rune shows nothing: spaces of every width, and the marks
// that systems leave in their exports.
func blank(r rune) bool {
	switch r {
	case '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', 0:
		return true
	}
	return unicode.IsSpace(r)
}

// trim cuts everything blank off both ends.
func trim(s string) string { return strings.TrimFunc(s, blank) }

// fold turns full-width letters, digits and signs into those of ASCII.
func fold(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] < 0x80
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case '！' <= r && r <= '～':
			return r - '！' + '!'
		case r == '\u3000' || r == '\u00a0':
			return ' '
		case r == '￥':
			return '¥'
		case r == '−':
			return '-'
		}
		return r
	}, s)
}

// squeeze drops everything blank.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if blank(r) {
			return -1
		}
		return r
	}, s)
}

// names splits a list of names by 、 ； and ;, trims each, and drops what is
// there twice. A comma is part of a name.
func names(s string) []string {
	if !strings.ContainsAny(s, "、；;") {
		if s = trim(s); s == "" {
			return nil
		}
		return []string{s}
	}
	var out []string
next:
	for _, n := range strings.FieldsFunc(s, func(r rune) bool { return r == '、' || r == '；' || r == ';' }) {
		if n = trim(n); n == "" {
			continue
		}
		for _, o := range out {
			if o == n {
				continue next
			}
		}
		out = append(out, n)
	}
	return out
}

// clip shortens a text for a message.
func clip(s string) string {
	r := []rune(s)
	if len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// nearest gives the word that s was most likely meant to be, or "".
func nearest(s string, words []string) string {
	best, at := "", 3
	a := []rune(s)
	for _, w := range words {
		b := []rune(w)
		if d := distance(a, b); d < at && d < max(len(a), len(b)) {
			best, at = w, d
		}
	}
	return best
}

// distance is the number of single letters to change, add or drop.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		prev := row[0]
		row[0] = i + 1
		for j := range b {
			cost := prev
			if a[i] != b[j] {
				cost = 1 + min(prev, row[j], row[j+1])
			}
			prev, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
