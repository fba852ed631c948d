package ledger

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"tickler/calendar"
)

// Mapping is a bank's own mapping.yaml: what its columns and words mean. A nil
// one maps nothing.
type Mapping struct {
	Columns  map[string]string            // header -> canonical name of a field, or X
	Ignore   []string                     // headers to drop
	Values   map[string]map[string]string // field -> the bank's word -> ours
	Unit     string                       // of amounts whose header does not say: 元, 千元, 万元, 百万元 or 亿元
	DataDate calendar.Date                // where the rows give none
}

// column gives the field that the mapping has for a header.
func (m *Mapping) column(header string) (to string, drop, ok bool) {
	if m == nil {
		return "", false, false
	}
	for _, h := range m.Ignore {
		if sameHeader(h, header) {
			return "", true, false
		}
	}
	if to, ok = m.Columns[header]; ok {
		return to, false, true
	}
	for h, to := range m.Columns {
		if sameHeader(h, header) {
			return to, false, true
		}
	}
	return "", false, false
}

// sameHeader compares headers but for what is blank in them.
func sameHeader(a, b string) bool { return a == b || squeeze(fold(a)) == squeeze(fold(b)) }

func (m *Mapping) values(field string) map[string]string {
	if m == nil || len(m.Values[field]) == 0 {
		return nil
	}
	return m.Values[field]
}

const maxMapping = 128 << 10 // bytes; it travels in the head of a request

// mappingKeys are the keys that a mapping may have.
var mappingKeys = []string{"columns", "ignore", "values", "unit", "data_date"}

// ParseMapping reads a mapping.yaml:
//
//	columns: {我行借据码: 借据号, 五级: 五级分类}   # our header: the field; x keeps a column as it is
//	ignore: [机构名称]                             # columns to drop
//	values: {五级分类: {A: 正常, B: 关注}}          # our word: the word to read in its place
//	unit: 万元                                     # of amounts whose header does not say
//	data_date: 2026-11-23                          # where the rows give none
//
// Mistakes come all at once, a line each, as name:line:column.
func ParseMapping(name string, data []byte) (*Mapping, error) {
	p := &mappingParser{name: name, m: &Mapping{}}
	data = []byte(strings.TrimPrefix(string(data), string(utf8BOM)))
	switch {
	case len(data) > maxMapping:
		return nil, fmt.Errorf("%s: want a mapping of at most 1 MiB", name)
	case !utf8.Valid(data):
		return nil, fmt.Errorf("%s: want a mapping in UTF-8; hint: save it as UTF-8 (另存为 UTF-8)", name)
	}
	d := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, more yaml.Node
	if err := d.Decode(&doc); err == io.EOF {
		return p.m, nil
	} else if err != nil {
		return nil, fmt.Errorf("%s:%s", name, yamlMessage(err))
	}
	if err := d.Decode(&more); err != io.EOF {
		if err == nil {
			return nil, fmt.Errorf("%s:%d:%d: want one document, here is a second", name, more.Line, more.Column)
		}
		return nil, fmt.Errorf("%s:%s", name, yamlMessage(err))
	}
	p.document(doc.Content[0])
	if len(p.errs) > 0 {
		sort.SliceStable(p.errs, func(i, j int) bool {
			a, b := p.errs[i], p.errs[j]
			return a.line < b.line || (a.line == b.line && a.column < b.column)
		})
		lines := make([]string, len(p.errs))
		for i, e := range p.errs {
			lines[i] = e.text
		}
		return nil, errors.New(strings.Join(lines, "\n"))
	}
	return p.m, nil
}

// yamlMessage turns what the YAML parser says into "3: …", or " …" where it
// names no line.
func yamlMessage(err error) string {
	s := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.HasPrefix(s, "line ") {
		if n, rest, ok := strings.Cut(s[len("line "):], ": "); ok {
			return n + ": " + rest
		}
	}
	return " " + s
}

type mappingError struct {
	line, column int
	text         string
}

type mappingParser struct {
	name string
	m    *Mapping
	errs []mappingError
}

func (p *mappingParser) bad(n *yaml.Node, format string, args ...any) {
	p.errs = append(p.errs, mappingError{n.Line, n.Column,
		fmt.Sprintf("%s:%d:%d: ", p.name, n.Line, n.Column) + fmt.Sprintf(format, args...)})
}

// suggest ends a message with the word that was meant, or with all of them.
func suggest(s string, words []string) string {
	if w := nearest(s, words); w != "" {
		return fmt.Sprintf("; did you mean %q?", w)
	}
	return "; want one of " + strings.Join(words, ", ")
}

// plain refuses what a mapping does not need: anchors, aliases and tags.
func (p *mappingParser) plain(n *yaml.Node, kind yaml.Kind, what string) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		p.bad(n, "want plain values, no anchors (&) or aliases (*)")
	case n.Style&yaml.TaggedStyle != 0:
		p.bad(n, "want plain values, no tags (%s)", n.Tag)
	case n.Kind != kind:
		p.bad(n, "want %s", what)
	default:
		return true
	}
	return false
}

// pairs walks a mapping node, each key once.
func (p *mappingParser) pairs(n *yaml.Node, what string, each func(key string, k, v *yaml.Node)) {
	if !p.plain(n, yaml.MappingNode, what) {
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if !p.plain(k, yaml.ScalarNode, "a name") {
			continue
		}
		if first, ok := seen[k.Value]; ok {
			p.bad(k, "%q is here twice, first in line %d", k.Value, first)
			continue
		}
		seen[k.Value] = k.Line
		each(k.Value, k, v)
	}
}

func (p *mappingParser) document(n *yaml.Node) {
	p.pairs(n, "keys "+strings.Join(mappingKeys, ", "), func(key string, k, v *yaml.Node) {
		switch key {
		case "columns":
			p.m.Columns = map[string]string{}
			p.pairs(v, "columns as HEADER: FIELD", p.columnPair)
		case "ignore":
			if !p.plain(v, yaml.SequenceNode, "a list of headers") {
				return
			}
			for _, h := range v.Content {
				if p.plain(h, yaml.ScalarNode, "a header") {
					p.m.Ignore = append(p.m.Ignore, trim(h.Value))
				}
			}
		case "values":
			p.m.Values = map[string]map[string]string{}
			p.pairs(v, "values as FIELD: {BANK'S WORD: OUR WORD}", p.valuePairs)
		case "unit":
			if !p.plain(v, yaml.ScalarNode, "a unit, 元 or 万元") {
				return
			}
			power, ok := moneyPower(v.Value)
			if !ok || v.Value == "" {
				p.bad(v, "unit %q: want 元, 千元, 万元, 百万元 or 亿元", v.Value)
				return
			}
			p.m.Unit = unitName(power)
		case "data_date":
			if !p.plain(v, yaml.ScalarNode, "a date, as 2026-11-23") {
				return
			}
			d, err := calendar.ParseDate(v.Value)
			if err != nil {
				p.bad(v, "data_date: %v", err)
				return
			}
			p.m.DataDate = d
		default:
			p.bad(k, "unknown key %q%s", key, suggest(key, mappingKeys))
		}
	})
}

func (p *mappingParser) columnPair(header string, k, v *yaml.Node) {
	if !p.plain(v, yaml.ScalarNode, "the name of a field") {
		return
	}
	field := canonical(v.Value)
	if field == "" {
		p.bad(v, "column %q: unknown field %q%s", header, v.Value, suggest(v.Value, fieldNames()))
		return
	}
	p.m.Columns[trim(header)] = field
}

func (p *mappingParser) valuePairs(field string, k, v *yaml.Node) {
	name := canonical(field)
	if name == "" || name == X {
		p.bad(k, "values: unknown field %q%s", field, suggest(field, fieldNames()))
		return
	}
	values := map[string]string{}
	p.pairs(v, "words as BANK'S WORD: OUR WORD", func(from string, _, to *yaml.Node) {
		if !p.plain(to, yaml.ScalarNode, "the word to read in its place") {
			return
		}
		if holds := closedFields[name]; holds != nil && to.Value != "" {
			if ok, want := holds(to.Value); !ok {
				p.bad(to, "%s: %q cannot be read as %q: %s", name, from, to.Value, want.EN)
				return
			}
		}
		values[trim(from)] = to.Value
	})
	p.m.Values[name] = values
}

// canonical gives the canonical name for a field as a person writes it, 期限
// for 期限(月); "" where there is none.
func canonical(s string) string {
	if s == X {
		return X
	}
	n, _ := normal(s)
	for _, k := range kinds {
		for i := range specs[k] {
			f := specs[k][i].name
			if f == s {
				return f
			}
			if m, _ := normal(f); m == n {
				return f
			}
		}
	}
	return ""
}

// fieldNames lists the fields of every kind, those of loans first, each once.
func fieldNames() []string {
	var out []string
	seen := map[string]bool{}
	for _, k := range kinds {
		for i := range specs[k] {
			if n := specs[k][i].name; !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	return out
}
