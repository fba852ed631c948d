package rules

import (
	"encoding/json"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"tickler/loan"
)

// form makes the schema of a key's value.
type form func() *jsonschema.Schema

// Schema is the JSON Schema of rules.yaml for editors: completion, the meaning
// of each key, and the mistakes that a form can show. It is draft-07, which
// yaml-language-server follows best. What it accepts `rules check` may still
// refuse; it refuses nothing that `rules check` accepts.
func Schema() []byte {
	s := object(bookKeys, "version", "rules")
	s.Schema = "http://json-schema.org/draft-07/schema#"
	s.Title = "tickler 规则簿 / tickler rulebook"
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // the tables are constant, and a test makes the schema
	}
	return append(out, '\n')
}

// object is a closed mapping with these keys.
func object(keys fields, required ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{
		Type:                 "object",
		Required:             required,
		Properties:           map[string]*jsonschema.Schema{},
		PropertyOrder:        keys.names(),
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
	}
	for _, k := range keys {
		v := k.form()
		v.Description = k.zh + "\n" + k.en
		s.Properties[k.name] = v
	}
	return s
}

func listOf(item *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", Items: item}
}

// oneOrMoreOf takes a value or a list of them.
func oneOrMoreOf(item func() *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{item(), listOf(item())}}
}

func enum(words []string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range words {
		s.Enum = append(s.Enum, w)
	}
	return s
}

func pattern(p string, examples ...any) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: p, Examples: examples}
}

// blank is what words are separated and may be surrounded by.
const (
	limitPattern = `(0|[1-9][0-9]{0,3}) +(workday|day|week|month|year)s?`
	datePattern  = `[0-9]{4}-[0-9]{2}-[0-9]{2}`
	eventPattern = `^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`
)

// dayPattern is the small language of dates over these anchors.
func dayPattern(anchors []string) string {
	for i, a := range anchors {
		anchors[i] = strings.ReplaceAll(a, ".", `\.`)
	}
	return `^ *(on|` + limitPattern + ` +(before|after)) +(` + strings.Join(anchors, "|") + `|event\.[^ ]+|` + datePattern + `) *$`
}

// allAnchors are the anchors of every shape of rule.
func allAnchors() []string {
	var out []string
	for _, r := range []Rule{{For: loan.KindLoan}, {Every: "month"}, {Every: "interest_date"}, {Every: "fee_date"}, {Since: []string{"since"}}, {On: []string{"event"}}} {
		out = append(out, r.anchors()...)
	}
	return out
}

func textForm() *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Pattern: `[^ ]`} }

func boolForm() *jsonschema.Schema { return &jsonschema.Schema{Type: "boolean"} }

func versionForm() *jsonschema.Schema { return &jsonschema.Schema{Type: "integer", Enum: []any{1}} }

func fiscalForm() *jsonschema.Schema {
	return pattern(`^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`, "12-31")
}

func setForm() *jsonschema.Schema  { return enum(Sets) }
func setsForm() *jsonschema.Schema { return listOf(enum(Sets)) }

func paramsForm() *jsonschema.Schema {
	value := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Types: []string{"number", "string"}}, listOf(textForm())}}
	return &jsonschema.Schema{Type: "object", PropertyNames: &jsonschema.Schema{Pattern: paramName.String()}, AdditionalProperties: value}
}

func defaultsForm() *jsonschema.Schema { return object(defaultsKeys) }

func eventsForm() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", PropertyNames: &jsonschema.Schema{Pattern: eventPattern}, AdditionalProperties: object(eventKeys, "for")}
}

func rulesForm() *jsonschema.Schema {
	one := 1
	s := listOf(object(ruleKeys, "id", "due"))
	s.MinItems = &one
	return s
}

func idForm() *jsonschema.Schema { return pattern(ruleID.String(), "maturity-notice") }

func kindForm() *jsonschema.Schema  { return enum(kindWords()) }
func kindsForm() *jsonschema.Schema { return oneOrMoreOf(kindForm) }

func ruleSetsForm() *jsonschema.Schema { return oneOrMoreOf(setForm) }
func rowsForm() *jsonschema.Schema     { return listOf(pattern(rowName.String(), "B40")) }
func textsForm() *jsonschema.Schema    { return oneOrMoreOf(textForm) }

func whoForm() *jsonschema.Schema {
	return oneOrMoreOf(func() *jsonschema.Schema { return enum(whoWords) })
}

func eachForm() *jsonschema.Schema {
	return oneOrMoreOf(func() *jsonschema.Schema {
		named := &jsonschema.Schema{Type: "object", PropertyNames: &jsonschema.Schema{Pattern: paramName.String()}, AdditionalProperties: listOf(textForm())}
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{enum(append(slices.Clone(fanWords), string(loan.KindLoan))), named}}
	})
}

func triggersForm() *jsonschema.Schema {
	return oneOrMoreOf(func() *jsonschema.Schema {
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{eventForm(), object(triggerKeys, "event", "in_a_row")}}
	})
}

func closersForm() *jsonschema.Schema {
	return oneOrMoreOf(func() *jsonschema.Schema {
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{eventForm(), object(closerKeys, "event", "if")}}
	})
}

func signForm() *jsonschema.Schema {
	return listOf(&jsonschema.Schema{AnyOf: []*jsonschema.Schema{roleForm(), object(chainKeys, "by")}})
}

func inARowForm() *jsonschema.Schema   { return pattern(`^ *[1-9][0-9]? +months? *$`, "3 months") }
func coverForm() *jsonschema.Schema    { return enum(coverWords) }
func aboveForm() *jsonschema.Schema    { return enum([]string{"above"}) }
func bysForm() *jsonschema.Schema      { return oneOrMoreOf(roleForm) }
func duesForm() *jsonschema.Schema     { return oneOrMoreOf(dueForm) }
func checkForm() *jsonschema.Schema    { return pattern(paramName.String(), "custodian") }
func standingForm() *jsonschema.Schema { return listOf(object(standingKeys, "name")) }
func overridesForm() *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Required: []string{"branch", "why"}, PropertyNames: enum(append([]string{"branch", "why", "off"}, overridable...))}
	return listOf(s)
}
func fieldTypeForm() *jsonschema.Schema { return enum(fieldTypes) }

func valuesForm() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", AdditionalProperties: textForm()}
}

func eventFieldsForm() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", PropertyNames: &jsonschema.Schema{Pattern: paramName.String()}, AdditionalProperties: object(fieldKeys)}
}

// eventForm names the built-in events as examples: a rulebook may declare more.
func eventForm() *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string", Pattern: eventPattern}
	for _, e := range slices.Sorted(maps.Keys(standard())) {
		s.Examples = append(s.Examples, e)
	}
	return s
}

func everyForm() *jsonschema.Schema { return enum(everyWords) }

func sinceForm() *jsonschema.Schema {
	s := eventForm()
	s.Examples = append([]any{"loan.disbursed", "branch.opened"}, s.Examples...)
	return listOf(s)
}

func withinForm() *jsonschema.Schema {
	two := 2
	s := listOf(pattern(dayPattern((&Rule{For: loan.KindLoan}).anchors()), "1 month before loan.maturity", "on loan.maturity"))
	s.MinItems, s.MaxItems = &two, &two
	return s
}

func conditionForm() *jsonschema.Schema {
	limit := maxCondition
	names := make([]string, 0, len(functions))
	for f := range functions {
		names = append(names, f)
	}
	sort.Strings(names)
	return &jsonschema.Schema{Types: []string{"string", "boolean"}, MaxLength: &limit, Examples: []any{`loan.mode == "key" and loan.class == "normal"`}, Comment: "functions: " + strings.Join(names, ", ")}
}

func numberForm() *jsonschema.Schema {
	zero := 0.0
	limit := maxCondition
	return &jsonschema.Schema{Types: []string{"integer", "string"}, Minimum: &zero, MaxLength: &limit, Examples: []any{1, `borrower.mode == "key" ? 2 : 1`}}
}

func exceptForm() *jsonschema.Schema { return listOf(object(exceptKeys, "if", "why")) }

func needsForm() *jsonschema.Schema { return object(needsKeys, "at_least") }

func dueForm() *jsonschema.Schema {
	return pattern(dayPattern(allAnchors()), "10 workdays after loan.maturity", "1 month before loan.maturity", "on period.end", "15 workdays after period.end", "2 workdays after event.date", "1 year after since")
}

func raiseForm() *jsonschema.Schema {
	return pattern(dayPattern(append([]string{"due"}, allAnchors()...)), "10 workdays before due", "on due")
}

func remindForm() *jsonschema.Schema {
	return listOf(pattern(`^ *(on|`+limitPattern+` +before) +due *$`, "5 workdays before due", "1 workday before due"))
}

func limitForm() *jsonschema.Schema {
	return pattern(`^ *`+limitPattern+` *$`, "1 workday", "5 workdays")
}

func escalateForm() *jsonschema.Schema { return listOf(object(escalateKeys, "after", "to")) }

func landingForm() *jsonschema.Schema { return enum(landingWords) }

func roleForm() *jsonschema.Schema  { return enum(Roles) }
func rolesForm() *jsonschema.Schema { return listOf(enum(Roles)) }

func ruleListForm() *jsonschema.Schema { return oneOrMoreOf(idForm) }

func dayForm() *jsonschema.Schema { return pattern(`^`+datePattern+`$`, "2026-01-01") }
