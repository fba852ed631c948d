package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"tickler/calendar"
	"tickler/loan"
)

// EventKind declares what may happen to whom, and what is written down of it.
type EventKind struct {
	Kind     string      `json:"kind"`
	Name     string      `json:"name"` // in Chinese
	For      []loan.Kind `json:"for"`  // subjects it may be recorded of
	Fields   []Field     `json:"fields,omitempty"`
	Standard bool        `json:"standard"` // not declared by the rulebook itself
	line     int         // where the rulebook declares it
}

// Field is one thing written down of an event.
type Field struct {
	Name     string    `json:"name"`
	Title    string    `json:"title,omitempty"` // in Chinese; may be typed for the name
	Also     []string  `json:"also,omitempty"`  // other words for the name
	Type     FieldType `json:"type"`
	Values   []Value   `json:"values,omitempty"` // of a choice
	Required bool      `json:"required,omitempty"`
}

// FieldType is what a field holds.
type FieldType string

const (
	Text      FieldType = "text"
	Number    FieldType = "number"
	DateField FieldType = "date"
	YesNo     FieldType = "yes_no" // kept as yes or no
	Choice    FieldType = "choice" // one of the field's values
)

// Value is one value of a choice.
type Value struct {
	Word  string `json:"word"`
	Title string `json:"title"` // in Chinese; may be typed for the word
}

// Every event may say these beside its own fields.
const (
	FieldPeriod = "period" // 期间: the occurrence it speaks of
	FieldParty  = "party"  // 对象: the one of several parties that it concerns
	FieldNote   = "note"   // 备注
)

var commonFields = []Field{
	{Name: FieldPeriod, Title: "期间", Type: Text},
	{Name: FieldParty, Title: "对象", Also: []string{"保证人", "岗位", "部门", "责任书"}, Type: Text},
	{Name: FieldNote, Title: "备注", Also: []string{"说明"}, Type: Text},
}

//go:embed events.yaml
var standardEvents []byte

// standard is the vocabulary of the manual: the kinds that every rulebook may
// use. It is declared as a rulebook declares its own.
var standard = sync.OnceValue(func() map[string]*EventKind {
	t := plant("events.yaml", standardEvents)
	b := &Book{Events: map[string]*EventKind{}}
	if t.root != nil {
		if n := t.keys(t.root, "events.yaml", fields{{name: "events"}})["events"]; n != nil {
			t.events(b, n)
		}
	}
	if len(t.problems) > 0 {
		panic(t.problems.sorted()) // the file is part of the program, and a test reads it
	}
	for _, e := range b.Events {
		e.Standard = true
	}
	return b.Events
})

// field finds a field by its name, its title or another word for it.
func (e *EventKind) field(word string) *Field {
	for _, list := range [][]Field{e.Fields, commonFields} {
		for i := range list {
			f := &list[i]
			if word == f.Name || word == f.Title || slices.Contains(f.Also, word) {
				return f
			}
		}
	}
	return nil
}

// Note puts what a person wrote down into the form that is kept: fields under
// their names, values checked. What the kind does not declare is kept as it
// is and named in extra; a word that is nearly a declared one is refused. The
// error names every mistake.
func (e *EventKind) Note(written map[string]string) (fields map[string]string, extra []string, err error) {
	var wrong []string
	fields = map[string]string{}
	words := make([]string, 0, len(written))
	for w := range written {
		words = append(words, w)
	}
	slices.Sort(words)
	for _, w := range words {
		f := e.field(w)
		if f == nil {
			if hint := didYouMean(w, e.fieldNames()); hint != "" {
				wrong = append(wrong, fmt.Sprintf("unknown field %q; %s", w, hint))
				continue
			}
			fields[w] = written[w]
			extra = append(extra, w)
			continue
		}
		v, ok := f.read(written[w])
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("%s: %q is not %s", w, written[w], f.wants()))
		case fields[f.Name] != "" && fields[f.Name] != v:
			wrong = append(wrong, fmt.Sprintf("%s (%s) is given twice", f.Name, f.Title))
		default:
			fields[f.Name] = v
		}
	}
	for _, f := range e.Fields {
		if f.Required && fields[f.Name] == "" {
			wrong = append(wrong, fmt.Sprintf("%s (%s) is missing: want %s", f.Name, f.Title, f.wants()))
		}
	}
	if wrong != nil {
		return nil, nil, fmt.Errorf("%s: %s", e.Kind, strings.Join(wrong, "; "))
	}
	return fields, extra, nil
}

func (e *EventKind) fieldNames() []string {
	var out []string
	for _, list := range [][]Field{e.Fields, commonFields} {
		for _, f := range list {
			out = append(append(out, f.Name), f.Also...)
			if f.Title != "" {
				out = append(out, f.Title)
			}
		}
	}
	return out
}

func (f *Field) read(s string) (string, bool) {
	s = strings.TrimSpace(s)
	switch f.Type {
	case Number:
		s = strings.ReplaceAll(s, ",", "")
		_, err := strconv.ParseFloat(s, 64)
		return s, err == nil && decimal.MatchString(s)
	case DateField:
		d, err := calendar.ParseDate(strings.NewReplacer("/", "-", ".", "-").Replace(s))
		return d.String(), err == nil
	case YesNo:
		switch strings.ToLower(s) {
		case "yes", "y", "true", "1", "是", "有":
			return "yes", true
		case "no", "n", "false", "0", "否", "无":
			return "no", true
		}
		return "", false
	case Choice:
		for _, v := range f.Values {
			if s == v.Word || s == v.Title {
				return v.Word, true
			}
		}
		return "", false
	}
	return s, s != ""
}

func (f *Field) wants() string {
	switch f.Type {
	case Number:
		return "a number"
	case DateField:
		return "a day, YYYY-MM-DD"
	case YesNo:
		return "yes or no (是 or 否)"
	case Choice:
		return orList(f.words())
	}
	return "a text"
}

// words are the values that a condition may compare the field with; nil is any.
func (f *Field) words() []string {
	switch f.Type {
	case YesNo:
		return []string{"yes", "no"}
	case Choice:
		out := make([]string, len(f.Values))
		for i, v := range f.Values {
			out[i] = v.Word
		}
		return out
	}
	return nil
}

var (
	eventFieldName = paramName
	fieldTypes     = []string{string(Text), string(Number), string(DateField), string(YesNo)}
)

// events reads declarations of event kinds into the book.
func (t *tree) events(b *Book, n *yaml.Node) {
	for _, p := range t.pairs(n, "events") {
		kind := p.key.Value
		if !eventName.MatchString(kind) {
			t.bad(p.key, "", "event %q: want kind.verb in small letters, as in worklog.submitted", kind)
			continue
		}
		e := &EventKind{Kind: kind, line: p.key.Line}
		at := t.keys(p.value, "event "+kind, eventKeys)
		if n := at["name"]; n != nil {
			e.Name = t.text(n, "name")
		}
		if n := at["for"]; n != nil {
			for _, item := range t.oneOrMore(n, "for") {
				if k := t.word(item, "for", kindWords()); k != "" {
					e.For = append(e.For, loan.Kind(k))
				}
			}
		} else if at != nil {
			t.bad(p.key, "add for: [loan]", "event %q: no subject", kind)
		}
		if n := at["fields"]; n != nil {
			t.fields(e, n)
		}
		b.Events[kind] = e
	}
}

func (t *tree) fields(e *EventKind, n *yaml.Node) {
	for _, p := range t.pairs(n, "fields") {
		f := Field{Name: p.key.Value, Type: Text}
		if !eventFieldName.MatchString(f.Name) || slices.Contains([]string{"id", "kind", "date", "x"}, f.Name) {
			t.bad(p.key, "", "fields: %q: want a name of small letters, digits and _ other than id, kind, date, x", f.Name)
			continue
		}
		if e.field(f.Name) != nil {
			t.bad(p.key, "", "fields: %q is a word of another field, or of every event", f.Name)
		}
		at := t.keys(p.value, "field "+f.Name, fieldKeys)
		if n := at["name"]; n != nil {
			f.Title = t.text(n, "name")
		}
		if n := at["also"]; n != nil {
			for _, item := range t.oneOrMore(n, "also") {
				f.Also = append(f.Also, t.text(item, "also"))
			}
		}
		if n := at["type"]; n != nil {
			f.Type = FieldType(t.word(n, "type", fieldTypes))
		}
		if n := at["values"]; n != nil {
			f.Type = Choice
			for _, v := range t.pairs(n, "values") {
				f.Values = append(f.Values, Value{v.key.Value, t.text(v.value, "values")})
			}
		}
		if n := at["required"]; n != nil {
			f.Required = t.boolean(n, "required")
		}
		e.Fields = append(e.Fields, f)
	}
}
