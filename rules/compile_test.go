package rules

import (
	"reflect"
	"testing"

	"github.com/expr-lang/expr/vm"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"tickler"
	"tickler/calendar"
)

func mustShipped(t *testing.T) *Book {
	t.Helper()
	b, err := Parse("rules.yaml", tickler.Rulebook)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shippedConditions are all those of the rulebook that ships.
func shippedConditions(t *testing.T) []*Condition {
	t.Helper()
	b := mustShipped(t)
	var out []*Condition
	for _, r := range b.Rules {
		out = append(out, r.When)
		for _, x := range r.Except {
			out = append(out, x.If)
		}
		for _, s := range r.Sign {
			out = append(out, s.If)
		}
		for _, c := range r.CloseIf {
			out = append(out, c)
		}
		if r.Needs != nil {
			out = append(out, r.Needs.AtLeast)
		}
	}
	var there []*Condition
	for _, c := range out {
		if c != nil {
			there = append(there, c)
		}
	}
	return there
}

// What ships is asked of every loan there is: none of it is left to the machine.
func TestEveryShippedConditionIsCompiled(t *testing.T) {
	list := shippedConditions(t)
	if len(list) < 40 {
		t.Fatalf("only %d conditions were found", len(list))
	}
	for _, c := range list {
		if c.code.truth == nil && c.code.whole == nil {
			t.Errorf("left to the machine: %s", c.Text)
		}
	}
}

// drawEnv gives facts of every kind, few values each, so that they meet.
func drawEnv(t *rapid.T) *env {
	e := newEnv(calendar.Builtin())
	e.Count = func(kind string, from, to Day) int { return len(kind) + int(to.Date-from.Date)%3 }
	v := reflect.ValueOf(e).Elem()
	words := rapid.SampledFrom([]string{"", "normal", "loss", "key", "regular", "no", "lead", "油脂", "2026-11-30", "80"})
	days := rapid.Int32Range(int32(calendar.MustDate(2024, 2, 28)), int32(calendar.MustDate(2024, 3, 3)))
	for i := range v.NumField() {
		if v.Field(i).Kind() != reflect.Struct {
			continue
		}
		for j := range v.Field(i).NumField() {
			f := v.Field(i).Field(j)
			switch f.Interface().(type) {
			case string:
				f.SetString(words.Draw(t, "text"))
			case bool:
				f.SetBool(rapid.Bool().Draw(t, "truth"))
			case int:
				f.SetInt(int64(rapid.IntRange(-1, 4).Draw(t, "whole")))
			case float64:
				f.SetFloat(float64(rapid.SampledFrom([]int{0, 1, 79, 80, 50000000}).Draw(t, "number")))
			case Day:
				f.Set(reflect.ValueOf(Day{calendar.Date(days.Draw(t, "day"))}))
			case map[string]string:
				f.Set(reflect.ValueOf(map[string]string{"列": words.Draw(t, "x"), "score": words.Draw(t, "x")}))
			}
		}
	}
	return e
}

// Every fact of the environment is read by its own function, and by no other's.
func TestEveryFactIsReadByItsName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEnv(t)
		n := 0
		v := reflect.ValueOf(*e)
		for i := range v.NumField() {
			if v.Field(i).Kind() != reflect.Struct {
				continue
			}
			for j := range v.Field(i).NumField() {
				group, field := v.Type().Field(i).Tag.Get("expr"), v.Field(i).Type().Field(j).Tag.Get("expr")
				c, ok := compileFact(group, field)
				var got any
				switch {
				case !ok:
				case c.text != nil:
					got = c.text(e)
				case c.truth != nil:
					got = c.truth(e)
				case c.whole != nil:
					got = c.whole(e)
				case c.dec != nil:
					got = c.dec(e)
				case c.day != nil:
					got = c.day(e)
				case c.table != nil:
					got = c.table(e)
				}
				if want := v.Field(i).Field(j).Interface(); !reflect.DeepEqual(got, want) {
					t.Errorf("%s.%s is read as %v, want %v", group, field, got, want)
				}
				n++
			}
		}
		if there := len(textFacts) + len(truthFacts) + len(wholeFacts) + len(decimalFacts) + len(dayFacts) + len(tableFacts); there != n {
			t.Errorf("%d functions for %d facts", there, n)
		}
	})
}

// drawText writes a condition of a type, some parts of which are not compiled.
func drawText(t *rapid.T, kind string, depth int) string {
	pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(t, kind) }
	sub := func(k string) string { return drawText(t, k, depth-1) }
	leaf := depth <= 0
	switch kind {
	case "truth":
		if leaf {
			return pick("true", "false", "loan.unpaid", "loan.extended", "interest.unpaid", "collateral.abnormal")
		}
		switch pick("and", "not", "texts", "in", "numbers", "days", "choice", "list", "matches", "truths") {
		case "and":
			return "(" + sub("truth") + pick(" and ", " or ", " && ", " || ") + sub("truth") + ")"
		case "not":
			return pick("not ", "!") + "(" + sub("truth") + ")"
		case "texts":
			return "(" + sub("text") + pick(" == ", " != ", " contains ", " startsWith ", " endsWith ", " < ") + sub("text") + ")"
		case "in":
			return "(" + sub("text") + pick(" in ", " not in ") + pick(`["lead", "loss"]`, `["a"]`, "loan.x") + ")"
		case "numbers":
			k := pick("whole", "number")
			return "(" + sub(k) + pick(" == ", " != ", " < ", " <= ", " > ", " >= ") + sub(pick("whole", "number")) + ")"
		case "days":
			return "(" + sub("day") + pick(" == ", " != ", " < ", " <= ", " > ", " >= ") + sub("day") + ")"
		case "choice":
			return "(" + sub("truth") + " ? " + sub("truth") + " : " + sub("truth") + ")"
		case "list":
			return "(" + sub("whole") + pick(" in 1..3", " in [1, 2]") + ")"
		case "matches":
			return "(" + sub("text") + ` matches "^[a-n]")`
		}
		return "((" + sub("truth") + pick(") == (", ") != (") + sub("truth") + "))"
	case "text":
		if leaf || pick("leaf", "choice") == "leaf" {
			return pick(`"loss"`, `"normal"`, "borrower.type", "loan.product", "borrower.rating", `loan.x["列"]`, `borrower.x["none"]`, "branch.name")
		}
		return "(" + sub("truth") + " ? " + sub("text") + " : " + sub("text") + ")"
	case "whole":
		if leaf {
			return pick("0", "1", "3", "loan.term_months", "period.number", "branch.subordinates")
		}
		switch pick("leaf", "sum", "minus", "between", "count", "max", "choice") {
		case "sum":
			return "(" + sub("whole") + pick(" + ", " - ", " * ") + sub("whole") + ")"
		case "minus":
			return "(-" + sub("whole") + ")"
		case "between":
			return "months_between(" + sub("day") + ", " + sub("day") + ")"
		case "count":
			return `count("loan.settled", ` + sub("day") + ", " + sub("day") + ")"
		case "max":
			return pick("max(", "min(") + sub("whole") + ", " + sub("whole") + ")"
		case "choice":
			return "(" + sub("truth") + " ? " + sub("whole") + " : " + sub("whole") + ")"
		}
		return sub("whole")
	case "number":
		if leaf {
			return pick("0.5", "80.0", "loan.balance", "borrower.exposure", "collateral.value")
		}
		return "(" + sub(pick("number", "whole")) + pick(" + ", " - ", " * ", " / ") + sub("number") + ")"
	}
	if leaf {
		return pick("loan.maturity", "loan.disbursed", "period.end", "event.date", `date("2024-02-29")`)
	}
	return pick("add_months(", "add_workdays(") + sub("day") + ", " + sub("whole") + ")"
}

// Compiled or by the machine, a condition says the same: also where it fails.
func TestCompiledConditionsSayWhatTheMachineSays(t *testing.T) {
	book := &Book{Events: map[string]*EventKind{"loan.settled": {}}}
	var none compiled
	n, asked := 0, 0
	defer func() { t.Logf("%d of %d conditions were compiled", n, asked) }()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{"truth", "truth", "whole"}).Draw(t, "kind")
		text := drawText(t, kind, rapid.IntRange(1, 4).Draw(t, "depth"))
		w := wantBool
		if kind == "whole" {
			w = wantNumber
		}
		tr := &tree{}
		c := tr.condition(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}, "when", &Rule{vague: true}, book, w)
		if len(tr.problems) > 0 {
			t.Fatalf("%s: %v", text, tr.problems)
		}
		asked++
		if c.code.truth == nil && c.code.whole == nil {
			return
		}
		n++
		e := drawEnv(t)
		byMachine := *c
		byMachine.code = none
		got, err1 := say(c, w, e)
		want, err2 := say(&byMachine, w, e)
		if got != want || (err1 == nil) != (err2 == nil) {
			t.Fatalf("%s\ncompiled %v, %v\nmachine %v, %v", text, got, err1, want, err2)
		}
	})
	if n < asked/3 {
		t.Errorf("only %d of %d conditions were compiled", n, asked)
	}
}

func say(c *Condition, w want, e *env) (any, error) {
	if w == wantNumber {
		return c.number(&vm.VM{}, e)
	}
	return c.bool(&vm.VM{}, e)
}
