package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// maxSize bounds a rulebook's text. 1 MiB is some five thousand rules.
const maxSize = 1 << 20

// tree is a YAML document without YAML's surprises: no anchors, aliases or
// tags, one document, and numbers read from their text.
type tree struct {
	file     string
	root     *yaml.Node
	problems Problems
	rule     string // the rule being read, for messages
}

// plant reads the text, or reports why it is no document we take. A mistake of
// YAML's own syntax comes alone, since nothing behind it can be trusted.
func plant(file string, text []byte) *tree {
	t := &tree{file: file}
	switch {
	case len(text) > maxSize:
		t.at(0, 0, fmt.Sprintf("the file holds %d bytes; a rulebook holds at most %d", len(text), maxSize), "split it, or remove what is not a rule")
	case len(bytes.TrimSpace(text)) == 0:
		t.at(0, 0, "the file is empty (文件为空)", "run \"tickler init\" elsewhere and copy its rules.yaml")
	case !utf8.Valid(text):
		line := 1 + bytes.Count(text[:invalidAt(text)], []byte("\n"))
		t.at(line, 0, "the line is not UTF-8 (不是 UTF-8 编码)", "save the file as UTF-8")
	default:
		t.scan(text)
	}
	if len(t.problems) > 0 {
		return t
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		t.syntax(text, err)
		return t
	}
	if len(doc.Content) == 0 {
		t.at(0, 0, "the file holds no rules (没有内容)", "")
		return t
	}
	t.root = doc.Content[0]
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		t.at(second.Line, 1, "a second document begins here (第二个文档)", "keep one document; remove the line ---")
	} else if !errors.Is(err, io.EOF) {
		t.syntax(text, err)
	}
	t.refuse(t.root)
	return t
}

func invalidAt(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(text)
}

func (t *tree) at(line, col int, text, hint string) {
	t.problems = append(t.problems, Problem{File: t.file, Line: line, Col: col, Rule: t.rule, Text: text, Hint: hint})
}

func (t *tree) bad(n *yaml.Node, hint, format string, args ...any) {
	t.at(n.Line, n.Column, fmt.Sprintf(format, args...), hint)
}

// fullWidth maps the punctuation of a Chinese keyboard to what YAML wants.
var fullWidth = map[rune]string{'：': ":", '，': ",", '“': `"`, '”': `"`, '‘': "'", '’': "'", '［': "[", '］': "]", '｛': "{", '｝': "}", '＃': "#", '－': "-", '　': " "}

// scan finds what makes YAML answer beside the point: tabs in the indent, and
// full-width punctuation where the syntax stands. Inside of text, of quotes
// and of comments it is welcome.
func (t *tree) scan(text []byte) {
	block := -1 // indent of the key whose | or > text we are in
	for i, line := range strings.Split(string(text), "\n") {
		body := strings.TrimLeft(line, " ")
		indent := len(line) - len(body)
		if block >= 0 {
			if strings.TrimSpace(body) == "" || indent > block {
				continue
			}
			block = -1
		}
		if strings.HasPrefix(body, "\t") {
			t.at(i+1, indent+1, "a tab indents this line (用了制表符缩进)", "indent with spaces")
			continue
		}
		if trimmed := strings.TrimRight(body, " \r"); strings.HasSuffix(trimmed, "|") || strings.HasSuffix(trimmed, ">") || strings.HasSuffix(trimmed, "|-") || strings.HasSuffix(trimmed, ">-") {
			block = indent
		}
		key := strings.TrimPrefix(body, "- ")
		if r, _ := utf8.DecodeRuneInString(body); fullWidth[r] != "" {
			t.at(i+1, indent+1, fmt.Sprintf("full-width %q (全角标点)", r), fmt.Sprintf("type the half-width %q", fullWidth[r]))
			continue
		}
		if m := fullKey.FindStringIndex(key); m != nil {
			col := utf8.RuneCountInString(line[:len(line)-len(key)]) + utf8.RuneCountInString(key[:m[1]])
			t.at(i+1, col, "full-width colon \"：\" after a key (键后用了全角冒号)", "type the half-width \":\" and a space")
		}
	}
}

var fullKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*\s*：`)

var (
	yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	duplKey  = regexp.MustCompile(`mapping key "(.*)" already defined at line (\d+)`)
)

// syntax reports a mistake of YAML's own grammar. The decoder's line can be
// off, so the first line whose prefix no longer parses is found by trying.
func (t *tree) syntax(text []byte, err error) {
	msg := err.Error()
	line := 0
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1])
		msg = msg[len(m[0]):]
	}
	if !strings.Contains(msg, "already defined") {
		lines := bytes.SplitAfter(text, []byte("\n"))
		n, end := 0, 0
		for _, l := range lines {
			end += len(l)
			n++
			var v yaml.Node
			if e := yaml.Unmarshal(text[:end], &v); e != nil && !unfinished(text[:end]) {
				line = n
				break
			}
		}
	}
	t.at(line, 0, "not YAML: "+msg, "look at this line and the one above it")
}

// unfinished says that the text may only lack its end: an open bracket or quote.
func unfinished(text []byte) bool {
	for _, end := range []string{"]", "}", "]}", "\"", "'", "\"]", "'}", "\"}", "}]"} {
		var v yaml.Node
		if yaml.Unmarshal(append(bytes.TrimRight(append([]byte(nil), text...), "\n, "), end...), &v) == nil {
			return true
		}
	}
	return false
}

// refuse walks the tree for what a rulebook may not hold.
func (t *tree) refuse(n *yaml.Node) {
	if n.Anchor != "" {
		t.bad(n, "write the value out", "anchor &%s (锚点)", n.Anchor)
	}
	if n.Kind == yaml.AliasNode {
		t.bad(n, "write the value out", "alias *%s (引用)", n.Value)
		return
	}
	if n.Style&yaml.TaggedStyle != 0 {
		t.bad(n, "remove it", "tag %s (标签)", n.Tag)
	}
	if n.Kind == yaml.MappingNode {
		seen := map[string]*yaml.Node{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			if first := seen[k.Value]; first != nil {
				t.bad(k, "keep one of them", "key %q is there already, on line %d (键重复)", k.Value, first.Line)
			}
			seen[k.Value] = k
			if k.Value == "<<" {
				t.bad(k, "write the keys out", "merge key << ")
			}
		}
	}
	for _, c := range n.Content {
		t.refuse(c)
	}
}

// pair is one key of a mapping.
type pair struct{ key, value *yaml.Node }

// pairs gives the keys of a mapping in their order; anything else is reported.
func (t *tree) pairs(n *yaml.Node, what string) []pair {
	if n.Kind != yaml.MappingNode {
		t.bad(n, "", "%s: want keys with values, found %s", what, kindOf(n))
		return nil
	}
	var out []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		out = append(out, pair{n.Content[i], n.Content[i+1]})
	}
	return out
}

// keys gives the values of a closed mapping by key and reports what is no key
// of it; nil if it is no mapping.
func (t *tree) keys(n *yaml.Node, what string, known fields) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		t.pairs(n, what)
		return nil
	}
	out := map[string]*yaml.Node{}
	names := known.names()
	for _, p := range t.pairs(n, what) {
		if p.key.Kind != yaml.ScalarNode {
			t.bad(p.key, "", "%s: a key must be a word, found %s", what, kindOf(p.key))
		} else if !slices.Contains(names, p.key.Value) {
			hint := didYouMean(p.key.Value, names)
			if hint == "" {
				hint = "want " + orList(names)
			}
			t.bad(p.key, hint, "unknown key %q in %s (没有这个键)", p.key.Value, what)
		} else {
			out[p.key.Value] = p.value
		}
	}
	return out
}

// list gives the items of a sequence; anything else is reported.
func (t *tree) list(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		t.bad(n, "", "%s: want a list, found %s", what, kindOf(n))
		return nil
	}
	return n.Content
}

// oneOrMore gives a lone scalar as a list of one.
func (t *tree) oneOrMore(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind == yaml.ScalarNode {
		return []*yaml.Node{n}
	}
	return t.list(n, what)
}

// str gives a scalar's text, which must not be empty.
func (t *tree) str(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode {
		t.bad(n, "", "%s: want a text, found %s", what, kindOf(n))
		return ""
	}
	if strings.TrimSpace(n.Value) == "" || n.Tag == "!!null" {
		t.bad(n, "write a value, or remove the key", "%s: no value", what)
		return ""
	}
	return n.Value
}

// text gives a scalar that YAML too takes for text. A name that reads as a
// number or a truth value is put in quotes, so that 010 stays 010.
func (t *tree) text(n *yaml.Node, what string) string {
	s := t.str(n, what)
	if s != "" && n.Tag != "!!str" {
		t.bad(n, "put it in quotes (加引号)", "%s: %s reads as %s, want a text", what, s, tagWord(n.Tag))
	}
	return s
}

func tagWord(tag string) string {
	switch tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	}
	return tag
}

// boolean takes true and false only.
func (t *tree) boolean(n *yaml.Node, what string) bool {
	if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
		t.bad(n, "", "%s: %q: want true or false", what, n.Value)
	}
	return n.Value == "true"
}

// word takes one of the words, with a suggestion for a misspelt one.
func (t *tree) word(n *yaml.Node, what string, words []string) string {
	s := t.str(n, what)
	if s == "" {
		return ""
	}
	for _, w := range words {
		if s == w {
			return s
		}
	}
	t.bad(n, didYouMean(s, words), "%s: unknown %q; want %s", what, s, orList(words))
	return ""
}

func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	return fmt.Sprintf("%q", n.Value)
}
