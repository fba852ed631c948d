// Command cel asks one condition of the shipped rulebook of one loan by CEL,
// and prints nanoseconds, the median of five.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"cel.dev/cel-go/cel"
)

// The condition and the loan that BenchmarkExprAlone of package rules asks.
const condition = `loan.mode == "key" && loan.class == "normal" && loan.first_time && !loan.unpaid && loan.term_months <= 3`

func main() {
	testing.Init()
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if err := flag.Set("test.benchtime", "300ms"); err != nil {
		return err
	}
	program, err := compile()
	if err != nil {
		return err
	}
	// Names with a dot are one look-up each: the quickest form that CEL has.
	loan := map[string]any{"loan.mode": "key", "loan.class": "normal", "loan.first_time": true, "loan.unpaid": false, "loan.term_months": 3}
	facts, err := cel.NewActivation(loan)
	if err != nil {
		return err
	}
	var figures []float64
	for range 5 {
		r := testing.Benchmark(func(b *testing.B) {
			for b.Loop() {
				if out, _, err := program.Eval(facts); err != nil || out.Value() != true {
					b.Fatal(out, err)
				}
			}
		})
		if r.N == 0 {
			return fmt.Errorf("%s: not true of %v", condition, loan)
		}
		figures = append(figures, float64(r.T.Nanoseconds())/float64(r.N))
	}
	slices.Sort(figures)
	_, err = fmt.Println(figures[2])
	return err
}

func compile() (cel.Program, error) {
	env, err := cel.NewEnv(
		cel.Variable("loan.mode", cel.StringType),
		cel.Variable("loan.class", cel.StringType),
		cel.Variable("loan.first_time", cel.BoolType),
		cel.Variable("loan.unpaid", cel.BoolType),
		cel.Variable("loan.term_months", cel.IntType),
	)
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(condition)
	if err := issues.Err(); err != nil {
		return nil, err
	}
	return env.Program(ast, cel.EvalOptions(cel.OptOptimize))
}
