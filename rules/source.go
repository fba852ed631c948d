package rules

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// spots says where each character of a scalar's value stands in the file, so
// that a mistake inside a condition is shown where it was typed: behind the
// quote, on the third line of a block, after an escape. YAML changes a text in
// white space and escapes only; the rest is found by walking along.
type spots []place

// spotsOf walks a scalar. Blanks have the place after the character before.
func (t *tree) spotsOf(n *yaml.Node) spots {
	at := place{n.Line, n.Column}
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		at = place{n.Line + 1, 1} // behind the line of | or >
	} else if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		at.col++
	}
	var out spots
	for _, r := range n.Value {
		if r == ' ' || r == '\n' || r == '\t' {
			out = append(out, at)
			continue
		}
		found, next := t.seek(at, r, n.Style)
		if next.line == 0 {
			found, next = at, at // never seen; what follows is near enough
		}
		out = append(out, found)
		at = next
	}
	return append(out, at)
}

// seek finds the character at or after a place, over blanks, line ends and the
// marks of escapes, and gives its place and the next one; zero places if
// something else stands there.
func (t *tree) seek(at place, r rune, style yaml.Style) (found, next place) {
	single, double := style&yaml.SingleQuotedStyle != 0, style&yaml.DoubleQuotedStyle != 0
	for at.line <= len(t.lines) {
		line := t.lines[at.line-1]
		for at.col <= len(line) {
			c := line[at.col-1]
			var ahead rune
			if at.col < len(line) {
				ahead = line[at.col]
			}
			switch {
			case single && c == '\'' && ahead == '\'', double && c == '\\' && (ahead == '\\' || ahead == '"' || ahead == '/'):
				if ahead != r {
					return place{}, place{}
				}
				return at, place{at.line, at.col + 2}
			case double && c == '\\' && hexEscapes[ahead] > 0:
				end := min(at.col+1+hexEscapes[ahead], len(line))
				v, err := strconv.ParseUint(string(line[at.col+1:end]), 16, 32)
				if err != nil || rune(v) != r {
					return place{}, place{}
				}
				return at, place{at.line, end + 1}
			case double && c == '\\':
				at.col += 2 // \n, \t: a blank
			case c == r:
				return at, place{at.line, at.col + 1}
			case c == ' ' || c == '\t' || c == '\r':
				at.col++
			default:
				return place{}, place{}
			}
		}
		at = place{at.line + 1, 1}
	}
	return place{}, place{}
}

// hexEscapes are the escapes of a double-quoted text that spell a character,
// with the number of their digits.
var hexEscapes = map[rune]int{'x': 2, 'u': 4, 'U': 8}

// at is the place of the i-th character of the value, from 0.
func (s spots) at(i int) place {
	return s[max(0, min(i, len(s)-1))]
}

// runesOf splits a text into lines of characters, without a byte order mark.
func runesOf(text string) [][]rune {
	var out [][]rune
	for _, line := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n") {
		out = append(out, []rune(line))
	}
	return out
}
