package rules

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tickler/calendar"
)

// manuals are the documents that people write rules by: both say the same.
var manuals = []struct{ lang, file string }{{"en", "../docs/rulebook.md"}, {"zh", "../docs/rulebook.zh-CN.md"}}

var (
	fence   = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	comment = regexp.MustCompile(`(?m) +# .*$`)
)

// examples gives the rulebook that a manual shows in pieces, and its cases.
func examples(t *testing.T, file string) (book, cases string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		switch {
		case strings.HasPrefix(m[1], "version: 1\n"), strings.HasPrefix(m[1], "- id: "):
			book += m[1] + "\n"
		case strings.HasPrefix(m[1], "- name: "):
			cases += m[1] + "\n"
		default:
			t.Errorf("%s: neither the head of a rulebook, nor rules, nor cases:\n%s", file, m[1])
		}
	}
	return book, cases
}

// What a manual shows, put together, is a sound rulebook, and its cases hold.
func TestTheManualsExamplesAreSound(t *testing.T) {
	var first string
	for _, m := range manuals {
		text, cases := examples(t, m.file)
		b, err := Parse(m.file, []byte(text))
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, p := range Lint(b) {
			if !strings.Contains(p.Text, "the bank's own") {
				t.Errorf("%s", p)
			}
		}
		list, err := ReadCases(m.file, []byte(cases))
		if err != nil || len(list) == 0 {
			t.Fatalf("%d cases, %v", len(list), err)
		}
		if ps := CheckCases(b, list); len(ps) > 0 {
			t.Errorf("%v", ps)
		}
		for _, c := range list {
			if out := Run(b, calendar.Builtin(), c); !out.OK {
				t.Errorf("%s: %s: %+v", m.file, c.Name, out.Differences)
			}
		}
		bare := comment.ReplaceAllString(text+cases, "")
		if first == "" {
			first = bare
		} else if first != bare {
			t.Errorf("the examples of %s and %s differ in more than comments", manuals[0].file, m.file)
		}
	}
}

// Every key, word, fact and function is in the manuals.
func TestTheManualsNameEverything(t *testing.T) {
	var words []string
	for _, fs := range []fields{bookKeys, ruleKeys, overrideKeys, standingKeys, triggerKeys, closerKeys, chainKeys, fieldKeys, defaultsKeys, escalateKeys, eventKeys, exceptKeys, needsKeys} {
		words = append(words, fs.names()...)
	}
	for _, list := range [][]string{Sets, Roles, everyWords, landingWords, fanWords, coverWords, whoWords, fieldTypes, unitWords, overridable} {
		words = append(words, list...)
	}
	groups := reflect.TypeFor[env]()
	for i := range groups.NumField() {
		f := groups.Field(i)
		name := f.Tag.Get("expr")
		if strings.HasPrefix(name, "__") {
			continue
		}
		words = append(words, name)
		if f.Type.Kind() == reflect.Struct {
			for j := range f.Type.NumField() {
				words = append(words, f.Type.Field(j).Tag.Get("expr"))
			}
		}
	}
	words = append(words, slices.Collect(maps.Keys(functions))...)
	for _, list := range closedSets {
		words = append(words, list...)
	}
	for _, shape := range []*Rule{{For: "loan"}, {On: []string{"x"}}, {Since: []string{"x"}}, {Every: "month"}, {Every: "interest_date"}, {Every: "fee_date"}} {
		words = append(words, shape.anchors()...)
	}
	for _, m := range manuals {
		text, err := os.ReadFile(m.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if !regexp.MustCompile(`(^|[^a-z_])` + regexp.QuoteMeta(w) + `($|[^a-z_])`).Match(text) {
				t.Errorf("%s does not name %q", m.file, w)
			}
		}
	}
}

// slips are edits of the manuals' rulebook: what stood there, and what somebody
// writes instead.
var slips = []struct{ was, is string }{
	{`loan.class == "normal"`, `loan.class == "nromal"`},
	{`raise: 3 workdays before due`, `rase: 3 workdays before due`},
	{`due: 15 workdays after loan.maturity`, `due: 15wd after loan.maturity`},
	{`when: loan.balance >= large_loan`, `when: loan.maturity > 20261231`},
	{`due: 5 workdays before loan.maturity`, `due：5 workdays before loan.maturity`},
	{"\n  for: collateral", "\n\tfor: collateral"},
	{`note: 说明文字，不影响计算`, `note: 说明: 不影响计算`},
	{`due: 3 workdays after period.start`, `due: 3 workdays after loan.maturity`},
	{`when: period.number == 1`, `when: loan.unpaid`},
	{`closes_on: promise.kept`, `closes_on: promise.kpet`},
	{`event.written == "yes"`, `event.written == "是"`},
	{`due: 2 workdays after event.until`, `due: 2 workdays after event.amount`},
	{`due: [on event.due, 1 month after event.date]`, `due: [on event.deu, 1 month after event.date]`},
	{`required: true`, `required: yes`},
	{"id: interest-call", "id: maturity-call"},
	{"  every: interest_date", "  every: interest_date\n  on: loan.repaid"},
	{"  for: collateral", "  for: guarantor"},
	{`at_least: 50%`, `at_least: 0.5`},
	{`{branch: B05, off: true, why: 由B01代办}`, `{branch: B05, off: true}`},
	{"closes_on: worklog.reviewed", "closes_on: call.made"},
	{"{event: statements.received, if: 'event.audited == \"yes\"'}", "{event: statements.received, if: loan.unpaid}"},
}

// doubts are edits that leave it sound, and bring a warning.
var doubts = []struct{ was, is string }{
	{`{if: loan.extended, why: 展期贷款另有安排}`, `{if: loan.class == "loss", why: 损失类}`},
	{`when: branch.subordinates > 0`, `when: branch.subordinates > 0 and branch.subordinates < 0`},
	{`raise: 3 workdays before due`, `raise: 3 workdays before loan.maturity`},
	{"due: 15 workdays after period.end\n  yields_to: watch-report", "due: 5 workdays after period.end\n  yields_to: watch-report"},
	{`closes_on: promise.kept`, `closes_on: repayment.checked`},
	{"in_a_row: 3 months}, borrower.abnormal]", "in_a_row: 3 months}, branch.reported]"},
}

// The tables of what the program answers, and of the standard events, are what
// it has: go test ./rules -run Manual -update writes them anew.
func TestTheManualsTablesAreTrue(t *testing.T) {
	update := flag.Lookup("update").Value.String() == "true"
	for _, m := range manuals {
		text, err := os.ReadFile(m.file)
		if err != nil {
			t.Fatal(err)
		}
		book, _ := examples(t, m.file)
		book = comment.ReplaceAllString(book, "")
		zh := m.lang == "zh"
		want := string(text)
		want = table(t, want, "mistakes", heads(zh, "写成了", "程序说", "written", "answer"), answers(t, book, false))
		want = table(t, want, "warnings", heads(zh, "写成了", "提示", "written", "warning"), answers(t, book, true))
		want = table(t, want, "events", heads(zh, "事件", "对象", "字段", "event", "recorded of", "fields"), eventRows())
		if want == string(text) {
			continue
		}
		if update {
			if err := os.WriteFile(m.file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("the tables of %s are not what the program has; run go test ./rules -run Manual -update and look at the difference", m.file)
	}
}

func heads(zh bool, words ...string) []string {
	if n := len(words) / 2; zh {
		return words[:n]
	} else {
		return words[n:]
	}
}

// table puts rows between the marks <!-- name --> and <!-- /name -->.
func table(t *testing.T, text, name string, heads []string, rows [][]string) string {
	t.Helper()
	before, rest, ok1 := strings.Cut(text, "<!-- "+name+" -->\n")
	_, after, ok2 := strings.Cut(rest, "<!-- /"+name+" -->\n")
	if !ok1 || !ok2 {
		t.Fatalf("no marks of the table %s", name)
	}
	var w strings.Builder
	for i, row := range append([][]string{heads, nil}, rows...) {
		if i == 1 {
			w.WriteString(strings.Repeat("|---", len(heads)) + "|\n")
			continue
		}
		w.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	return before + "<!-- " + name + " -->\n" + w.String() + "<!-- /" + name + " -->\n" + after
}

// answers gives what the program says to each slip, or doubt.
func answers(t *testing.T, book string, warnings bool) [][]string {
	t.Helper()
	list := slips
	if warnings {
		list = doubts
	}
	var out [][]string
	for _, s := range list {
		text := strings.Replace(book, s.was, s.is, 1)
		if text == book {
			t.Errorf("the manual does not have %q", s.was)
			continue
		}
		b, err := Parse("", []byte(text))
		ps, _ := err.(Problems)
		if warnings && err == nil {
			for _, p := range Lint(b) {
				if !strings.Contains(p.Text, "the bank's own") {
					ps = append(ps, p)
				}
			}
		}
		if len(ps) == 0 {
			t.Errorf("%s: the program says nothing", s.is)
			continue
		}
		said := ps[0].Text
		if ps[0].Rule != "" && !warnings {
			said = fmt.Sprintf("rule %q: %s", ps[0].Rule, said)
		}
		if ps[0].Hint != "" {
			said += "; " + ps[0].Hint
		}
		written := strings.ReplaceAll(strings.ReplaceAll(strings.Trim(s.is, "\n "), "\n ", " ⏎"), "\t", "⇥ ")
		out = append(out, []string{code(written), code(said)})
	}
	return out
}

// code marks a text as code, which may hold backquotes itself.
func code(s string) string {
	if strings.Contains(s, "`") {
		return "`` " + s + " ``"
	}
	return "`" + s + "`"
}

// eventRows lists the standard vocabulary, in the order of its names.
func eventRows() [][]string {
	var out [][]string
	for _, kind := range slices.Sorted(maps.Keys(standard())) {
		e := standard()[kind]
		var of, fields []string
		for _, k := range e.For {
			of = append(of, string(k))
		}
		for _, f := range e.Fields {
			text := "`" + f.Name + "` " + f.Title
			switch {
			case f.Type == Choice:
				var values []string
				for _, v := range f.Values {
					values = append(values, v.Word+" "+v.Title)
				}
				text += " (" + strings.Join(values, ", ") + ")"
			case f.Type != Text:
				text += " (" + string(f.Type) + ")"
			}
			if f.Required {
				text += " *"
			}
			fields = append(fields, text)
		}
		out = append(out, []string{"`" + kind + "` " + e.Name, strings.Join(of, ", "), strings.Join(fields, "; ")})
	}
	return out
}
