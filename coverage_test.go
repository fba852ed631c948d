package tickler_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"tickler"
	"tickler/rules"
)

var update = flag.Bool("update", false, "rewrite docs/coverage.md")

// The source table (来源条目): the readings of the manual, numbered by part.
var parts = []struct {
	letter string
	rows   int
	title  string
}{
	{"A", 3, "A 篇二 / part 2"},
	{"B", 90, "B 篇三，制度 manual / part 3, set manual"},
	{"C", 36, "C 篇四，制度 county / part 4, set county"},
	{"D", 45, "D 篇五，制度 policy / part 5, set policy"},
}

// Every row of the source is answered for by a rule, by a standing check, or by
// the word that it has no clock; docs/coverage.md says which.
func TestCoverageOfTheSource(t *testing.T) {
	b, err := rules.Parse("rules.yaml", tickler.Rulebook)
	if err != nil {
		t.Fatal(err)
	}
	serving := map[string][]*rules.Rule{} // row -> rules, in the rulebook's order
	for _, r := range b.Rules {
		for _, row := range r.Rows {
			serving[row] = append(serving[row], r)
		}
	}
	standing := map[string][]rules.Standing{}
	for _, s := range b.Standing {
		for _, row := range s.Rows {
			standing[row] = append(standing[row], s)
		}
	}
	known := map[string]bool{}
	for _, row := range sourceRows() {
		known[row] = true
		if serving[row] == nil && standing[row] == nil {
			t.Errorf("row %s is served by no rule and by no standing entry", row)
		}
	}
	for _, r := range b.Rules {
		if len(r.Rows) == 0 {
			t.Errorf("rule %s serves no row", r.ID)
		}
		for _, row := range r.Rows {
			if !known[row] {
				t.Errorf("rule %s: row %q is not in the source", r.ID, row)
			}
		}
	}
	for _, s := range b.Standing {
		for _, row := range s.Rows {
			if !known[row] {
				t.Errorf("standing %s: row %q is not in the source", s.Name, row)
			}
		}
	}
	text := coverage(b, serving, standing)
	if *update {
		if err := os.WriteFile("docs/coverage.md", text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("docs/coverage.md")
	if err != nil || !bytes.Equal(have, text) {
		t.Errorf("docs/coverage.md is not what rules.yaml gives (%v); run make coverage and look at the difference", err)
	}
}

func sourceRows() []string {
	var out []string
	for _, p := range parts {
		for i := range p.rows {
			out = append(out, fmt.Sprintf("%s%02d", p.letter, i+1))
		}
	}
	return out
}

func coverage(b *rules.Book, serving map[string][]*rules.Rule, standing map[string][]rules.Standing) []byte {
	var w bytes.Buffer
	byRule, byCheck, noClock := 0, 0, 0
	for _, row := range sourceRows() {
		switch {
		case serving[row] != nil:
			byRule++
		case slices.ContainsFunc(standing[row], func(s rules.Standing) bool { return s.Check != "" }):
			byCheck++
		default:
			noClock++
		}
	}
	own := 0
	for _, r := range b.Rules {
		if !r.Stated {
			own++
		}
	}
	fmt.Fprintf(&w, `# 来源条目对照 / Coverage of the source

<!-- Generated from rules.yaml by coverage_test.go. After an edit of the rulebook: make coverage -->

来源条目共 %[1]d 条：由规则承接 %[2]d 条，由 `+"`tickler check portfolio`"+` 核对 %[3]d 条，没有期限也无从核对 %[4]d 条。
规则 %[5]d 条，其中期限由本行确定的 %[6]d 条（表中“本行”一栏的 ✎）。

The source has %[1]d rows: %[2]d are served by rules, %[3]d by `+"`tickler check portfolio`"+`, %[4]d have no clock and nothing to check.
Of the %[5]d rules %[6]d have a figure of the bank's own (✎).

期限按规则簿的写法，含义见[规则簿](rulebook.zh-CN.md#日期)。
Limits are written as in the rulebook: [Dates](rulebook.md#dates).
`, byRule+byCheck+noClock, byRule, byCheck, noClock, len(b.Rules), own)

	for _, p := range parts {
		fmt.Fprintf(&w, "\n## %s\n\n| 条目 Row | 规则或核对 Rule or check | 事项 Duty | 依据 Clause | 期限 Limit | 本行 Own | 缺页 Page missing |\n|---|---|---|---|---|---|---|\n", p.title)
		for i := range p.rows {
			row := fmt.Sprintf("%s%02d", p.letter, i+1)
			for _, r := range serving[row] {
				own := ""
				if !r.Stated {
					own = "✎"
				}
				line(&w, row, "`"+r.ID+"`", r.Name, r.Clause, limit(r), own, r.Missing)
			}
			for _, s := range standing[row] {
				check := "不设期限 / no clock"
				if s.Check != "" {
					check = "核对 / check `" + s.Check + "`"
				}
				line(&w, row, check, s.Name, "", "", "", "")
			}
		}
	}
	return w.Bytes()
}

// line writes one line of a table.
func line(w *bytes.Buffer, cells ...string) {
	w.WriteByte('|')
	for _, c := range cells {
		if c != "" {
			w.WriteString(" " + strings.ReplaceAll(c, "|", `\|`))
		}
		w.WriteString(" |")
	}
	w.WriteByte('\n')
}

// limit is the due day as the rulebook has it.
func limit(r *rules.Rule) string {
	var out []string
	for _, e := range r.Dues {
		out = append(out, "`"+e.Text+"`")
	}
	return strings.Join(out, ", 否则 else ")
}
