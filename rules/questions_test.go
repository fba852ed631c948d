package rules

import (
	"testing"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"tickler/loan"
)

// What the numbered questions settle of a condition is what it says when it is
// asked; what fails when it is asked is not settled.
func TestWhatIsSettledIsWhatWouldBeSaid(t *testing.T) {
	book := &Book{Events: map[string]*EventKind{"loan.settled": {}}}
	settled := map[truth]int{}
	rapid.Check(t, func(t *rapid.T) {
		text := drawText(t, "truth", rapid.IntRange(1, 4).Draw(t, "depth"))
		tr := &tree{}
		c := tr.condition(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}, "when", &Rule{vague: true}, book, wantBool)
		if len(tr.problems) > 0 {
			t.Fatalf("%s: %v", text, tr.problems)
		}
		q := newQuestions(rapid.SampledFrom([]loan.Kind{loan.KindLoan, loan.KindBorrower}).Draw(t, "of"))
		f := q.read(c)
		for range 4 {
			e := drawEnv(t)
			given := q.answer(e)
			if e.Interest.Unpaid || rapid.Bool().Draw(t, "arrears") {
				given |= arrears // of this date, or of another
			}
			said, err := say(c, wantBool, e)
			got := f.settle(given)
			settled[got]++
			if got != unknown && (err != nil || got != truthOf(said.(bool))) {
				t.Fatalf("%s\nsettled as %v; asked it says %v, %v", text, got, said, err)
			}
		}
	})
	if settled[always] == 0 || settled[never] == 0 || settled[unknown] == 0 {
		t.Errorf("settled: %v", settled)
	}
}

// The conditions that ship are settled for a loan by its own facts, all but
// those that look at a period: a rule that cannot hold is never asked again.
func TestShippedConditionsAreSettled(t *testing.T) {
	b := mustShipped(t)
	q := newQuestions(loan.KindLoan)
	whens := 0
	for _, r := range b.Rules {
		if r.For != loan.KindLoan || len(r.On) > 0 || r.When == nil {
			continue
		}
		whens++
		if f := q.read(r.When); f.settle(0) == unknown {
			t.Errorf("%s: not settled by the loan's facts: %s", r.ID, r.When.Text)
		}
	}
	if whens < 10 {
		t.Errorf("only %d conditions were looked at", whens)
	}
	if len(q.asked) > 20 {
		t.Errorf("%d questions: the same is asked twice", len(q.asked))
	}
}
