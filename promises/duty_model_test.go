package promises

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// The life of one duty as the manual of people has it: it is raised, then
// submitted by its officer, signed level by level by others, and done. Whoever
// submitted it, or whose signature it waits for, may return it. A waiver is
// asked for by one and granted by another, a manager. What was done or waived,
// a manager puts back. It is written from that text and calls none of the
// program's code.

// person is who acts, and as what.
type person struct{ id, role string }

var (
	officer = person{"S001", "officer"}
	acting  = []person{officer, {"S010", "supervisor"}, {"S011", "supervisor"}, {"S020", "president"}, {"S021", "president"}}
	levels  = []string{"supervisor", "president"} // that sign, in order
)

// dutyState is where a duty stands. It is comparable: signed holds the staff
// numbers of who signed, each followed by a blank.
type dutyState struct{ state, by, signed, asked string }

func (s dutyState) signatures() int { return strings.Count(s.signed, " ") }

// move is what a client asks for.
type move struct {
	what string // read, submit, sign, return, waive, reopen
	duty string
	by   person
}

func (m move) String() string { return m.by.id + " " + m.what + " " + m.duty }

// answer is what a client was told.
type answer struct {
	how   string    // done, asked (a waiver that waits), refused, failed (nothing happened), unknown
	shown dutyState // the duty as it is then; zero where nothing was shown
}

// after gives the state after a move that is allowed, and what is answered.
func (s dutyState) after(m move) (next dutyState, how string, allowed bool) {
	manager := m.by.role != "officer"
	waits := ""
	if s.state == "submitted" {
		waits = levels[s.signatures()]
	}
	switch m.what {
	case "submit":
		if s.state == "raised" && m.by == officer {
			return dutyState{state: "submitted", by: m.by.id}, "done", true
		}
	case "sign":
		if waits == m.by.role && m.by.id != s.by && m.by != officer && !slices.Contains(strings.Fields(s.signed), m.by.id) {
			s.signed += m.by.id + " "
			if s.signatures() == len(levels) {
				s.state, s.asked = "done", ""
			}
			return s, "done", true
		}
	case "return":
		if s.state == "submitted" && (m.by.id == s.by || m.by.role == waits) {
			return dutyState{state: "raised"}, "done", true
		}
	case "waive":
		switch {
		case s.state != "raised" && s.state != "submitted":
		case s.asked == "": // whoever performs it or manages it may ask
			s.asked = m.by.id
			return s, "asked", true
		case s.asked != m.by.id && manager:
			s.state, s.asked = "waived", ""
			return s, "done", true
		}
	case "reopen":
		if (s.state == "done" || s.state == "waived") && manager {
			return dutyState{state: "raised"}, "done", true
		}
	}
	return s, "", false
}

// dutyModel says which answers are possible. Of an unknown outcome both are.
var dutyModel = porcupine.NondeterministicModel{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		by := map[string][]porcupine.Operation{}
		for _, op := range history {
			id := op.Input.(move).duty
			by[id] = append(by[id], op)
		}
		var out [][]porcupine.Operation
		for _, ops := range by {
			out = append(out, ops)
		}
		return out
	},
	Init: func() []any { return []any{dutyState{state: "raised"}} },
	Step: func(state, input, output any) []any {
		s, m, a := state.(dutyState), input.(move), output.(answer)
		if m.what == "read" {
			if a.how != "done" || a.shown == s {
				return []any{s}
			}
			return nil
		}
		next, how, allowed := s.after(m)
		switch a.how {
		case "failed":
			return []any{s}
		case "unknown":
			if allowed {
				return []any{s, next}
			}
			return []any{s}
		case "refused":
			if !allowed {
				return []any{s}
			}
			return nil
		}
		if allowed && how == a.how && (a.shown == dutyState{} || a.shown == next) {
			return []any{next}
		}
		return nil
	},
	Equal:             func(x, y any) bool { return x == y },
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%v: %v", in, out) },
	DescribeState:     func(s any) string { return fmt.Sprintf("%+v", s) },
}

// linearizable says whether some order of the operations explains every
// answer, and where not, of which duty.
func linearizable(t *testing.T, history []porcupine.Operation) bool {
	t.Helper()
	model := dutyModel.ToModel()
	good := true
	for _, ops := range dutyModel.Partition(history) {
		switch porcupine.CheckOperationsTimeout(model, ops, 3*time.Minute) {
		case porcupine.Unknown:
			t.Errorf("%s: %d operations are too many to be checked in three minutes", ops[0].Input.(move).duty, len(ops))
		case porcupine.Illegal:
			good = false
		}
	}
	return good
}

// wantLinearizable fails with the operations of each duty that no order
// explains.
func wantLinearizable(t *testing.T, history []porcupine.Operation) {
	t.Helper()
	for _, ops := range dutyModel.Partition(history) {
		if !linearizable(t, ops) {
			t.Error("no order of the moves explains the answers; up to the first that none fits:")
			explain(t, dutyModel.ToModel(), ops)
		}
	}
}

// explain logs the operations of a duty up to the first that no order fits.
func explain(t *testing.T, model porcupine.Model, ops []porcupine.Operation) {
	slices.SortFunc(ops, func(x, y porcupine.Operation) int { return cmp.Compare(x.Call, y.Call) })
	n := sort.Search(len(ops), func(n int) bool {
		return porcupine.CheckOperationsTimeout(model, ops[:n+1], 10*time.Second) == porcupine.Illegal
	})
	for _, op := range ops[max(0, n-30):min(n+1, len(ops))] {
		t.Logf("%9.3f to %9.3f ms  %s: %+v", float64(op.Call)/1e6, float64(op.Return)/1e6, op.Input, op.Output)
	}
}

// never is the end of an operation whose outcome nobody knows: it may still
// happen.
const never = math.MaxInt64

// The model itself refuses what must not be: a contradiction in a history of
// a few lines is found, an unknown outcome is none.
func TestTheModelOfADuty(t *testing.T) {
	supervisor, president := acting[1], acting[3]
	op := func(at int64, p person, what, how string, shown ...dutyState) porcupine.Operation {
		a := answer{how: how}
		if len(shown) > 0 {
			a.shown = shown[0]
		}
		return porcupine.Operation{Input: move{what, "d", p}, Output: a, Call: at, Return: at + 5}
	}
	unknown := op(10, officer, "submit", "unknown")
	unknown.Return = never
	submitted := dutyState{state: "submitted", by: "S001"}
	for name, x := range map[string]struct {
		ops  []porcupine.Operation
		good bool
	}{
		"a life":                 {[]porcupine.Operation{op(10, officer, "submit", "done"), op(20, supervisor, "sign", "done"), op(30, president, "sign", "done"), op(40, supervisor, "reopen", "done")}, true},
		"two submit":             {[]porcupine.Operation{op(10, officer, "submit", "done"), op(20, officer, "submit", "done")}, false},
		"two at once, one wins":  {[]porcupine.Operation{op(10, officer, "submit", "done"), op(12, officer, "submit", "refused")}, true},
		"out of order":           {[]porcupine.Operation{op(10, officer, "submit", "done"), op(20, president, "sign", "done")}, false},
		"a stale read":           {[]porcupine.Operation{op(10, officer, "submit", "done"), op(20, officer, "read", "done", dutyState{state: "raised"})}, false},
		"lost":                   {[]porcupine.Operation{op(10, officer, "submit", "done"), op(20, officer, "submit", "done"), op(30, officer, "read", "done", submitted)}, false},
		"refused without reason": {[]porcupine.Operation{op(10, officer, "submit", "refused")}, false},
		"unknown, and it was":    {[]porcupine.Operation{unknown, op(20, officer, "read", "done", submitted)}, true},
		"unknown, and it was not": {[]porcupine.Operation{unknown, op(20, officer, "read", "done", dutyState{state: "raised"}),
			op(30, officer, "read", "done", submitted)}, true},
		"unknown, and it was undone": {[]porcupine.Operation{unknown, op(20, officer, "read", "done", submitted), op(30, officer, "read", "done", dutyState{state: "raised"})}, false},
		"failed, and it was":         {[]porcupine.Operation{op(10, officer, "submit", "failed"), op(20, officer, "read", "done", submitted)}, false},
		"one asks, one grants":       {[]porcupine.Operation{op(10, officer, "waive", "asked"), op(20, officer, "waive", "refused"), op(30, supervisor, "waive", "done")}, true},
		"one does both":              {[]porcupine.Operation{op(10, supervisor, "waive", "asked"), op(20, supervisor, "waive", "done")}, false},
	} {
		if got := linearizable(t, x.ops); got != x.good {
			t.Errorf("%s: %v", name, got)
		}
	}
}
