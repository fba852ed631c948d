package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sort"
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
	lines    [][]rune
	problems Problems
	words    []string // that may be keys
	rule     string   // the rule being read, for messages
	yields   []yield  // looked at when every rule is known
}

// plant reads the text and reports what a rulebook may not hold. A mistake of
// YAML's own syntax comes alone, and leaves no root: nothing behind it can be
// trusted.
//
// The words are those that may be keys in it: one followed by a full-width
// colon is a key that was meant.
func plant(file string, text []byte, words ...string) *tree {
	t := &tree{file: file, words: words}
	switch {
	case len(text) > maxSize:
		t.at(1, 0, fmt.Sprintf("the file holds %d bytes, a rulebook at most %d (文件过大)", len(text), maxSize), "split it, or remove what is not a rule")
		return t
	case len(bytes.TrimSpace(text)) == 0:
		t.at(0, 0, "the file is empty (文件为空)", "begin it with \"version: 1\" and a list of rules")
		return t
	case !utf8.Valid(text):
		bad := invalidAt(text)
		line := 1 + bytes.Count(text[:bad], []byte("\n"))
		col := 1 + utf8.RuneCount(text[1+bytes.LastIndexByte(text[:bad], '\n'):bad])
		t.at(line, col, "this is not UTF-8 (不是 UTF-8 编码)", "save the file as UTF-8, not as GBK or ANSI (请另存为 UTF-8)")
		return t
	}
	t.lines = runesOf(string(text))
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	err := dec.Decode(&doc)
	if err != nil && !errors.Is(err, io.EOF) {
		t.typing(true)
		if len(t.problems) == 0 {
			t.syntax(text, err)
		}
		return t
	}
	t.typing(false)
	if len(doc.Content) == 0 {
		t.at(1, 0, "the file holds no rules (没有内容)", "begin it with \"version: 1\" and a list of rules")
		return t
	}
	t.root = doc.Content[0]
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		t.at(second.Line, 1, "a second document begins here (第二个文档)", "keep one document; remove the line ---")
	} else if !errors.Is(err, io.EOF) {
		t.root = nil
		t.syntax(text, err)
		return t
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

// fullWidth maps what a Chinese keyboard types to what the rulebook wants.
var fullWidth = map[rune]string{'：': ":", '，': ",", '、': ",", '；': ";", '。': ".", '．': ".", '“': `"`, '”': `"`, '‘': "'", '’': "'", '（': "(", '）': ")",
	'［': "[", '］': "]", '【': "[", '】': "]", '｛': "{", '｝': "}", '＃': "#", '－': "-", '＞': ">", '＜': "<", '＝': "=", '！': "!", '％': "%", '\u3000': " ",
	'０': "0", '１': "1", '２': "2", '３': "3", '４': "4", '５': "5", '６': "6", '７': "7", '８': "8", '９': "9"}

// wide reports full-width characters in a value that is no free text, and says
// whether there was one.
func (t *tree) wide(n *yaml.Node, what string) bool {
	i := 0
	for _, r := range n.Value {
		if fullWidth[r] != "" {
			p := t.spotsOf(n).at(i)
			t.wideAt(p.line, p.col, what+": ", r)
			return true
		}
		i++
	}
	return false
}

func (t *tree) wideAt(line, col int, what string, r rune) {
	t.at(line, col, fmt.Sprintf("%sfull-width %q (全角字符)", what, string(r)), fmt.Sprintf("type the half-width %q (请用半角)", fullWidth[r]))
}

// typing finds what an editor or an input method leaves in the syntax: tabs in
// the indent, and full-width punctuation. In text, quotes and comments it is
// welcome, so that a doubtful line is only blamed where YAML could not read
// the file; what YAML would swallow silently (a key with a full-width colon is
// text of the line above) is always blamed.
func (t *tree) typing(broken bool) {
	block := -1 // indent of the key whose | or > text we are in
	for i, line := range t.lines {
		body := strings.TrimLeft(string(line), " ")
		indent := len(line) - utf8.RuneCountInString(body)
		if block >= 0 && (strings.TrimSpace(body) == "" || indent > block) {
			continue
		}
		block = -1
		if strings.ContainsAny(body, "|>") && opensBlock.MatchString(body) {
			block = indent
		}
		if broken && strings.HasPrefix(body, "\t") {
			t.at(i+1, indent+1, "a tab indents this line (用了制表符缩进)", "indent with spaces (请用空格)")
			continue
		}
		first, _ := utf8.DecodeRuneInString(body)
		if fullWidth[first] != "" && (broken || strings.ContainsRune("＃－\u3000", first)) {
			t.wideAt(i+1, indent+1, "", first)
			continue
		}
		key := strings.TrimLeft(strings.TrimPrefix(body, "-"), " ")
		if !strings.Contains(key, "：") {
			continue // and is not asked line by line whether it is a key: that took a fifth of reading a rulebook
		}
		if m := fullKey.FindStringSubmatch(key); m != nil && (broken || slices.Contains(t.words, m[1])) {
			col := len(line) - utf8.RuneCountInString(key) + utf8.RuneCountInString(m[0])
			t.at(i+1, col, fmt.Sprintf("full-width colon %q after the key %s (键后用了全角冒号)", "：", m[1]), "type the half-width \":\" and a space (请用半角冒号加空格)")
		}
	}
}

var (
	opensBlock = regexp.MustCompile(`(^|[:-] )[|>][-+0-9]*\s*(#.*)?$`)
	fullKey    = regexp.MustCompile(`^["']?([A-Za-z_][A-Za-z0-9_.-]*)["']?\s*：`)
	yamlLine   = regexp.MustCompile(`^yaml: (?:line \d+: )?`)

	// everyKey is every word that may be a key somewhere in a rulebook.
	everyKey = slices.Concat(bookKeys.names(), ruleKeys.names(), defaultsKeys.names(), escalateKeys.names(), eventKeys.names(), exceptKeys.names(), needsKeys.names(), overrideKeys.names(), standingKeys.names(), triggerKeys.names(), chainKeys.names(), fieldKeys.names())
)

// syntax reports a mistake of YAML's own grammar. The decoder names the line
// where the surrounding block began, or none; the mistake is in the first line
// with which the text fails in the same way. Once a prefix fails so, every
// longer one does, so that line is found by halving.
func (t *tree) syntax(text []byte, err error) {
	ends := []int{0} // of each line
	for i, c := range text {
		if c == '\n' {
			ends = append(ends, i+1)
		}
	}
	ends = append(ends, len(text))
	line := sort.Search(len(ends)-1, func(n int) bool {
		dec := yaml.NewDecoder(bytes.NewReader(text[:ends[n]]))
		for {
			var v yaml.Node
			if e := dec.Decode(&v); e != nil {
				return e.Error() == err.Error()
			}
		}
	})
	msg := err.Error()
	msg = msg[len(yamlLine.FindString(msg)):]
	hint := "look at this line and the one above it"
	for _, h := range syntaxHints {
		if strings.Contains(msg, h.said) {
			hint = h.hint
		}
	}
	t.at(max(line, 1), 0, "not YAML: "+msg+" (YAML 语法错误)", hint)
}

// syntaxHints say in the author's words what YAML's own messages mean.
var syntaxHints = []struct{ said, hint string }{
	{"mapping values are not allowed", "is the line indented like the key above it? a text that holds \": \" needs quotes"},
	{"did not find expected key", "is the line indented like the key above it? a value that begins with a quote ends with it: put the whole in other quotes"},
	{"expected '-' indicator", "is the line indented like the others of its list?"},
	{"expected ',' or ']'", "the bracket [ is not closed"},
	{"expected ',' or '}'", "the brace { is not closed, or a comma is missing"},
	{"unexpected end of stream", "the quote is not closed"},
	{"expected ':'", "a key needs a colon and a space behind it"},
	{"cannot start any token", "put the value in quotes"},
	{"alphabetic or numeric character", "a text that begins with * or & needs quotes"},
	{"unknown anchor", "write the value out; for a text with * use quotes"},
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
			if k.Kind != yaml.ScalarNode {
				continue
			}
			if first := seen[k.Value]; first != nil {
				t.bad(k, "keep one of them", "key %q is there already, on line %d (键重复)", k.Value, first.Line)
			}
			seen[k.Value] = k
			if k.Tag == "!!merge" {
				t.bad(k, "write the keys out", "merge key << (合并键)")
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
	if n.Kind == yaml.AliasNode {
		return nil // reported when the tree was planted
	}
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
		} else if p.key.Tag == "!!merge" {
			continue // reported when the tree was planted
		} else if !slices.Contains(names, p.key.Value) && t.wide(p.key, "the key "+strconv.Quote(p.key.Value)) {
			continue
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
	if n.Kind == yaml.AliasNode {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		hint := ""
		if n.Kind == yaml.ScalarNode && n.Tag != "!!null" && !strings.Contains(n.Value, "\n") {
			if t.wide(n, what) {
				return nil
			}
			if slices.Contains([]string{"enable", "sign", "since", "remind"}, what) {
				hint = "write [" + n.Value + "]"
			}
		}
		t.bad(n, hint, "%s: want a list, found %s", what, kindOf(n))
		return nil
	}
	return n.Content
}

// oneOrMore gives a lone scalar as a list of one.
func (t *tree) oneOrMore(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return []*yaml.Node{n}
	}
	return t.list(n, what)
}

// items gives the items of a list, or a lone value, also a missing one, whose
// reader will say so.
func (t *tree) items(n *yaml.Node) []*yaml.Node {
	if n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return []*yaml.Node{n}
}

// str gives a scalar's text, which must not be empty.
func (t *tree) str(n *yaml.Node, what string) string {
	if n.Kind == yaml.AliasNode {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		t.bad(n, "", "%s: want a text, found %s", what, kindOf(n))
		return ""
	}
	if strings.TrimSpace(n.Value) == "" || n.Tag == "!!null" {
		t.bad(n, "write a value, or remove the key", "%s: no value (没有值)", what)
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
	if n.Kind != yaml.AliasNode && (n.Tag != "!!bool" || n.Value != "true" && n.Value != "false") {
		t.bad(n, "", "%s: want true or false, found %s", what, kindOf(n))
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
	if !t.wide(n, what) {
		t.bad(n, didYouMean(s, words), "%s: unknown %q; want %s", what, s, orList(words))
	}
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
	}
	if n.Tag == "!!null" {
		return "nothing (没有值)"
	}
	return fmt.Sprintf("%q", n.Value)
}
