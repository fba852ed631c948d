package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"gopkg.in/yaml.v3"

	"tickler"
)

func resolved(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// plain gives a document as JSON has it, dates as the texts they are.
func plain(t *testing.T, n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return plain(t, n.Content[0])
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			out[n.Content[i].Value] = plain(t, n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			out = append(out, plain(t, c))
		}
		return out
	}
	if n.Tag == "!!timestamp" {
		return n.Value
	}
	var v any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func validate(t *testing.T, text []byte) error {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal(text, &n); err != nil {
		t.Fatal(err)
	}
	return resolved(t).Validate(plain(t, &n))
}

func TestTheShippedRulebookFitsTheSchema(t *testing.T) {
	if err := validate(t, tickler.Rulebook); err != nil {
		t.Error(err)
	}
}

// Whatever the program reads, an editor must not underline.
func TestTheSchemaAcceptsWhatParseAccepts(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no rulebooks in testdata/good", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(file, text); err != nil {
			t.Errorf("%v", err)
		}
		if err := validate(t, text); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestTheSchemaRefusesWhatAFormCanShow(t *testing.T) {
	rule := func(rest string) string { return "version: 1\nrules:\n- {id: r, for: loan, " + rest + "}\n" }
	for _, text := range []string{
		"rules:\n- {id: r, due: on loan.maturity}\n",
		"version: 2\nrules:\n- {id: r, due: on loan.maturity}\n",
		"version: 1\nrules: []\n",
		"version: 1\n",
		rule("due: on loan.maturity, dew: x"),
		rule("due: 10 wd after loan.maturity"),
		rule("due: 010 days after loan.maturity"),
		rule("due: 1.5 workdays after loan.maturity"),
		rule("due: on loan.matury"),
		rule("due: on loan.maturity, by: boss"),
		rule("due: on loan.maturity, set: town"),
		rule("due: on loan.maturity, landing: next"),
		rule("due: on loan.maturity, every: fortnight"),
		rule("due: on loan.maturity, stated: 1"),
		rule("due: on loan.maturity, name: ''"),
		rule("due: on loan.maturity, closes_on: settled"),
		rule("due: on loan.maturity, effective_from: 2026-1-1"),
		rule("due: on loan.maturity, remind: [1 workday after due]"),
		rule("due: on loan.maturity, escalate: [{after: 1 workday}]"),
		rule("due: on loan.maturity, except: [{if: loan.unpaid}]"),
	} {
		if validate(t, []byte(text)) == nil {
			t.Errorf("accepted:\n%s", text)
		}
		if _, err := Parse("r.yaml", []byte(text)); err == nil {
			t.Errorf("parsed:\n%s", text)
		}
	}
}

// A key is in the table, so in the schema; parse.go reads it, so a value that
// no key can have is a mistake at its place.
func TestEveryKeyOfTheSchemaIsRead(t *testing.T) {
	for _, section := range []struct {
		keys   fields
		around string // %s is the key with its value
	}{
		{bookKeys, "%s\n"},
		{ruleKeys, "version: 1\nrules:\n- id: r\n  for: loan\n  every: month\n  due: on period.end\n  %s\n"},
		{defaultsKeys, "version: 1\ndefaults:\n  %s\nrules: [{id: r, for: loan, due: on loan.maturity}]\n"},
		{escalateKeys, "version: 1\ndefaults:\n  escalate:\n  - %s\nrules: [{id: r, for: loan, due: on loan.maturity}]\n"},
		{eventKeys, "version: 1\nevents:\n  a.b:\n    %s\nrules: [{id: r, for: loan, due: on loan.maturity}]\n"},
		{exceptKeys, "version: 1\nrules:\n- id: r\n  for: loan\n  due: on loan.maturity\n  except:\n  - %s\n"},
		{needsKeys, "version: 1\nrules:\n- id: r\n  for: loan\n  every: month\n  due: on period.end\n  needs:\n    %s\n"},
	} {
		for _, k := range section.keys {
			if k.zh == "" || k.en == "" {
				t.Errorf("%s says nothing of itself", k.name)
			}
			around := section.around
			for _, given := range []string{"id: r", "for: loan", "every: month", "due: on period.end"} {
				if strings.HasPrefix(given, k.name+": ") {
					around = strings.Replace(around, "  "+given+"\n", "", 1) // else it is there twice
					if strings.Contains(around, "- "+given) {
						around = strings.Replace(around, "- "+given+"\n", "- set: manual\n", 1)
					}
				}
			}
			text := fmt.Sprintf(around, k.name+": {zzz: zzz}")
			line := 1 + bytes.Count([]byte(text[:strings.Index(text, "zzz")]), []byte("\n"))
			_, err := Parse("r.yaml", []byte(text))
			ps, _ := err.(Problems)
			found := false
			for _, p := range ps {
				found = found || p.Line == line && !strings.Contains(p.Text, "unknown key \""+k.name)
			}
			if !found {
				t.Errorf("%s is not read in\n%s%v", k.name, text, err)
			}
		}
	}
}

// The forms of two keys may not share a schema: each has its own description.
func TestEveryKeyHasItsDescription(t *testing.T) {
	var s jsonschema.Schema
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, s *jsonschema.Schema, keys fields)
	walk = func(path string, s *jsonschema.Schema, keys fields) {
		if len(s.Properties) != len(keys) || s.AdditionalProperties == nil {
			t.Errorf("%s: %d keys in the schema, %d in the table; open: %v", path, len(s.Properties), len(keys), s.AdditionalProperties == nil)
		}
		for _, k := range keys {
			if p := s.Properties[k.name]; p == nil || p.Description != k.zh+"\n"+k.en {
				t.Errorf("%s.%s: description %+v", path, k.name, p)
			}
		}
	}
	walk("", &s, bookKeys)
	rule := s.Properties["rules"].Items
	walk("rules", rule, ruleKeys)
	walk("defaults", s.Properties["defaults"], defaultsKeys)
	walk("events", s.Properties["events"].AdditionalProperties, eventKeys)
	walk("escalate", rule.Properties["escalate"].Items, escalateKeys)
	walk("except", rule.Properties["except"].Items, exceptKeys)
	walk("needs", rule.Properties["needs"], needsKeys)
}
