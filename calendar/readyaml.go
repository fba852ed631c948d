package calendar

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxFile bounds a calendar file, in bytes. Twenty years of notices take 20 KiB.
const maxFile = 1 << 20

// readYAML returns the root of the only document in data, with the traps of
// the format refused: what looks like YAML but reads as something else. The
// root is nil if there is nothing to walk.
func readYAML(file string, data []byte) (*yaml.Node, Mistakes) {
	var ms Mistakes
	top := place{file, 1, 1}
	switch {
	case len(data) > maxFile:
		ms.add(top, "the file is larger than 1 MiB")
	case !utf8.Valid(data):
		ms.add(place{file, 1 + bytes.Count(data[:firstInvalid(data)], []byte("\n")), 0}, "not UTF-8 (另存为 UTF-8)")
	case len(bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))) == 0:
		ms.add(top, "the file is empty")
	}
	if len(ms) > 0 {
		return nil, ms
	}
	typed := typingMistakes(file, string(data))
	root, second, err := decode(data)
	switch {
	case err != nil && len(typed) > 0: // the cause, with its place, instead of the consequence
		return nil, typed
	case err != nil:
		line, text := syntaxError(data, err)
		ms.add(place{file, line, 0}, "%s", text)
		return nil, ms
	}
	ms = typed
	if second != nil {
		ms.add(place{file, second.Line, second.Column}, "a second document; want one only")
	}
	if root == nil || len(root.Content) == 0 {
		ms.add(top, "the file is empty")
		return nil, ms
	}
	refuseTraps(file, root, &ms)
	return root.Content[0], ms
}

// decode parses every document, so that an error in a later one is not missed.
func decode(data []byte) (first, second *yaml.Node, err error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var n yaml.Node
		if err := d.Decode(&n); errors.Is(err, io.EOF) {
			return first, second, nil
		} else if err != nil {
			return nil, nil, err
		}
		switch {
		case first == nil:
			first = &n
		case second == nil:
			second = &n
		}
	}
}

func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// halfWidth gives the character that was meant for one an input method left.
var halfWidth = map[rune]string{
	'：': ":", '，': ",", '［': "[", '］': "]", '【': "[", '】': "]", '｛': "{", '｝': "}",
	'－': "-", '．': ".", '＃': "#", '＂': `"`, '＇': "'", '～': "..", '\u3000': "a space",
}

// typingMistakes finds tabs and full-width punctuation outside quotes and
// comments.
func typingMistakes(file, data string) (ms Mistakes) {
	line := 0
	for text := range strings.Lines(strings.TrimPrefix(data, "\ufeff")) {
		line++
		var quote, last rune = 0, ' '
		column := 0
		for _, r := range text {
			column++
			switch {
			case quote != 0:
				if r == quote && (quote == '\'' || last != '\\') {
					quote = 0
				}
			case (r == '"' || r == '\'') && strings.ContainsRune(" [{,:-", last):
				quote = r
			case r == '#' && (last == ' ' || last == '\t'):
				text = "" // a comment; the loop ends below
			case r == '\t':
				ms.add(place{file, line, column}, "a tab; indent with spaces (不能用制表符，请用空格)")
			case r >= '０' && r <= '９':
				ms.add(place{file, line, column}, "full-width %q; want %q (请用半角数字)", r, '0'+r-'０')
			default:
				if want, ok := halfWidth[r]; ok {
					ms.add(place{file, line, column}, "full-width %q outside quotes; want %s (请用半角标点)", r, quoteWant(want))
				}
			}
			if text == "" {
				break
			}
			last = r
		}
	}
	return ms
}

func quoteWant(s string) string {
	if s == "a space" {
		return s
	}
	return strconv.Quote(s)
}

// refuseTraps refuses what makes a file mean something else than it shows.
func refuseTraps(file string, n *yaml.Node, ms *Mistakes) {
	at := place{file, n.Line, n.Column}
	if n.Anchor != "" {
		ms.add(at, "anchor &%s; write the value out", n.Anchor)
	}
	if n.Kind == yaml.AliasNode {
		ms.add(at, "alias *%s; write the value out", n.Value)
		return
	}
	if n.Style&yaml.TaggedStyle != 0 {
		ms.add(at, "tag %s; leave it out", n.Tag)
	}
	for _, c := range n.Content {
		refuseTraps(file, c, ms)
	}
}

// syntaxError returns what is wrong and in which line. yaml.v3 gives the line
// of the surrounding block or none at all, so the line is found as the one
// after the longest prefix of whole lines that parses.
func syntaxError(data []byte, err error) (line int, text string) {
	text = strings.TrimPrefix(err.Error(), "yaml: ")
	line = 1
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if n, after, ok := strings.Cut(rest, ": "); ok {
			if v, err := strconv.Atoi(n); err == nil {
				line, text = v, after
			}
		}
	}
	const budget = 8 << 20 // bytes parsed in all
	good, read, n := 0, 0, 0
	for i, c := range data {
		if c != '\n' {
			continue
		}
		n++
		if read += i; read > budget {
			return line, fmt.Sprintf("YAML: %s", text) // too large to search: yaml's own line
		}
		if _, _, err := decode(data[:i+1]); err == nil {
			good = n
		} else if n > good+100 && n > line+10 {
			break
		}
	}
	return good + 1, fmt.Sprintf("YAML: %s", text)
}
