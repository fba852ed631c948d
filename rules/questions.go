package rules

import (
	"strings"

	"github.com/expr-lang/expr/ast"

	"tickler/loan"
)

// A rulebook asks the same few questions of a subject in many conditions:
// loan.class == "normal", not loan.unpaid. Each is numbered and asked once of
// the same facts; the answers together are a word of bits, and what a rulebook
// makes of one word it makes of it again: which rules cannot hold, which do, and
// what is left to be asked of each period.

// replies are the answers to the numbered questions: bit i is set where the i-th
// was answered yes.
type replies uint64

const (
	// maxQuestions are as many as there are bits, less one. What is beyond
	// stays to be asked each time.
	maxQuestions = 63
	// arrears is set where a loan has interest in arrears, without which it is
	// unpaid on none of its interest dates.
	arrears replies = 1 << maxQuestions
)

// questions are those of one kind of subject.
type questions struct {
	of     string // the facts that do not change while they are asked: loan, borrower
	asked  []func(*env) bool
	number map[string]int // text -> place in asked
}

func newQuestions(kind loan.Kind) *questions {
	return &questions{of: string(kind), number: map[string]int{}}
}

// answer asks them all.
func (q *questions) answer(e *env) replies {
	var a replies
	for i, ask := range q.asked {
		if ask(e) {
			a |= 1 << i
		}
	}
	return a
}

// formula is a condition as far as the numbered questions settle it. The zero
// value is not settled by them.
type formula struct {
	op    formulaOp
	a, b  *formula
	bit   replies
	risky bool // asking what is open may fail
}

type formulaOp uint8

const (
	isOpen formulaOp = iota
	isAsked
	isArrears // never without arrears, open with them
	isTrue
	isFalse
	isNot
	isAnd
	isOr
)

// settle says what the answers make of a condition; unknown is left to be
// asked. Nothing is settled that the condition, read from left to right, would
// fail before it comes to.
func (f *formula) settle(given replies) truth {
	switch f.op {
	case isAsked:
		return truthOf(given&f.bit != 0)
	case isArrears:
		if given&arrears == 0 {
			return never
		}
	case isTrue:
		return always
	case isFalse:
		return never
	case isNot:
		return f.a.settle(given).not()
	case isAnd, isOr:
		ends, goesOn := never, always
		if f.op == isOr {
			ends, goesOn = always, never
		}
		switch a := f.a.settle(given); {
		case a == ends:
			return ends
		case a == goesOn:
			return f.b.settle(given)
		case !f.a.risky && f.b.settle(given) == ends:
			return ends
		}
	}
	return unknown
}

// read gives the formula of a condition, and numbers its questions.
func (q *questions) read(c *Condition) *formula {
	if c.code.truth == nil {
		return &formula{risky: true} // the machine's
	}
	return q.formula(c.prog.Node())
}

func (q *questions) formula(n ast.Node) *formula {
	switch n := n.(type) {
	case *ast.BoolNode:
		return &formula{op: map[bool]formulaOp{true: isTrue, false: isFalse}[n.Value]}
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			a := q.formula(n.Node)
			return &formula{op: isNot, a: a, risky: a.risky}
		}
	case *ast.BinaryNode:
		op := isOpen
		switch n.Operator {
		case "and", "&&":
			op = isAnd
		case "or", "||":
			op = isOr
		}
		if op != isOpen {
			a, b := q.formula(n.Left), q.formula(n.Right)
			return &formula{op: op, a: a, b: b, risky: a.risky || b.risky}
		}
	}
	c, ok := compile(n)
	switch {
	case !ok || c.truth == nil || c.risky:
		return &formula{risky: true}
	case pathOf(n) == "interest.unpaid":
		return &formula{op: isArrears}
	case !q.steady(n):
		return &formula{}
	}
	i, known := q.number[n.String()]
	if !known {
		if i = len(q.asked); i == maxQuestions {
			return &formula{}
		}
		q.number[n.String()], q.asked = i, append(q.asked, c.truth)
	}
	return &formula{op: isAsked, bit: 1 << i}
}

// steady says that a piece asks for nothing but the subject's own facts.
func (q *questions) steady(n ast.Node) bool {
	w := others{of: q.of}
	ast.Walk(&n, &w)
	return !w.found
}

// others looks for facts that are not the subject's own. A call that looks for
// them is one that may fail, and was left open before.
type others struct {
	of    string
	found bool
}

func (w *others) Visit(node *ast.Node) {
	if n, ok := (*node).(*ast.MemberNode); ok {
		if path := pathOf(n); path != "" {
			group, _, _ := strings.Cut(path, ".")
			w.found = w.found || group != w.of
		}
	}
}
