package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"tickler/api"
	"tickler/obligation"
	"tickler/rules"
)

type rulesTestOptions struct {
	run     string
	verbose bool
}

func newRulesTestCommand(g *global) *cobra.Command {
	var opts rulesTestOptions
	c := &cobra.Command{
		Use:   "test [CASES...]",
		Short: "Run cases against a rulebook · 用例测试",
		Long: `test plays cases, written in YAML, against a rulebook: facts, a day, and the duties
there must be on it, or must not be. It needs no store. CASES are files, or
directories of them (*.yaml); without any, the directory cases beside the rulebook,
or else the cases the program carries. Every set of the rulebook is on unless a case
says enable: [county]. A file that cannot be read is exit status 1.`,
		Example: `  tickler rules test
  tickler rules test cases/ --rules rules.yaml
  tickler rules test --run 到期 -v`,
		RunE: func(_ *cobra.Command, args []string) error { return runRulesTest(g, &opts, args) },
	}
	c.Flags().StringVar(&opts.run, "run", "", "only cases whose name, or a rule of which, matches `REGEXP`")
	c.Flags().BoolVarP(&opts.verbose, "verbose", "v", false, "also say what every case expects")
	exits(c, exitOK, exitFailed, exitUsage, exitFindings)
	return c
}

// caseForm is the outcome of a case as scripts see it.
type caseForm struct {
	Name        string   `json:"name"`
	File        string   `json:"file"`
	Line        int      `json:"line"`
	OK          bool     `json:"ok"`
	Differences []string `json:"differences"`
}

func runRulesTest(g *global, opts *rulesTestOptions, args []string) error {
	if g.output != "table" && g.output != "json" {
		return usagef("-o %s: rules test prints table or json", g.output)
	}
	only, err := regexp.Compile(opts.run)
	if err != nil {
		return usagef("--run: %v", err)
	}
	b, err := g.goodBook()
	if err != nil {
		return err
	}
	cases, err := g.readCases(args)
	if err != nil {
		return err
	}
	if ps := rules.CheckCases(b, cases); len(ps) > 0 {
		return api.Errorf(api.BadFile, "", "%v", ps)
	}
	cal, err := g.calendar()
	if err != nil {
		return err
	}
	forms, failed := []caseForm{}, 0
	for _, c := range cases {
		if !only.MatchString(c.Name) && !only.MatchString(strings.Join(c.Names(), " ")) {
			continue
		}
		out := rules.Run(b, cal, c)
		f := caseForm{Name: out.Name, File: out.File, Line: out.Line, OK: out.OK, Differences: []string{}}
		for _, d := range out.Differences {
			f.Differences = append(f.Differences, g.caseDifference(d))
		}
		if !out.OK {
			failed++
		}
		forms = append(forms, f)
		if g.output == "table" {
			g.printCase(f, c, opts.verbose)
		}
	}
	if len(forms) == 0 {
		return api.Errorf(api.NotFound, "", "no case matches %q", opts.run)
	}
	if g.output == "json" {
		err = writeJSON(g.stdout, forms)
	} else {
		_, err = fmt.Fprintln(g.stdout, g.tr(fmt.Sprintf("通过 %d，失败 %d（passed %d, failed %d）", len(forms)-failed, failed, len(forms)-failed, failed),
			fmt.Sprintf("passed %d, failed %d", len(forms)-failed, failed)))
	}
	if err == nil && failed > 0 {
		err = status(exitFindings)
	}
	return err
}

func (g *global) printCase(f caseForm, c rules.Case, verbose bool) {
	if f.OK && !verbose {
		return
	}
	if f.OK {
		fmt.Fprintf(g.stdout, "ok   %s\n", f.Name)
	} else {
		fmt.Fprintf(g.stdout, "FAIL %s (%s:%d)\n", f.Name, f.File, f.Line)
	}
	for _, d := range f.Differences {
		fmt.Fprintf(g.stdout, "     %s\n", strings.ReplaceAll(d, "\n", "\n     "))
	}
	if !verbose {
		return
	}
	for _, e := range c.Expect {
		fmt.Fprintf(g.stdout, "     %s  %s\n", g.tr("应有", "expect"), e.String())
	}
	for _, e := range c.Not {
		fmt.Fprintf(g.stdout, "     %s  %s\n", g.tr("不应有", "not"), e.String())
	}
}

// caseDifference says what is not as a case wants it: what was wanted, then what
// there is instead.
func (g *global) caseDifference(d rules.Difference) string {
	var b strings.Builder
	if d.Line > 0 {
		fmt.Fprintf(&b, g.tr("第 %d 行：", "line %d: "), d.Line)
	}
	switch d.Kind {
	case rules.Missing:
		fmt.Fprintf(&b, g.tr("应有 %s", "want %s"), d.Want)
	case rules.Unwanted:
		fmt.Fprintf(&b, g.tr("不应有 %s，实有 %d 项", "want no %s, found %d"), d.Want, d.Total)
	case rules.Counted:
		fmt.Fprintf(&b, g.tr("应有 %s，实有 %d 项", "want %s, found %d"), d.Want, d.Total)
	case rules.Refused:
		fmt.Fprintf(&b, g.tr("事件不能登记：%s", "the event is refused: %s"), d.Text)
	case rules.Broken:
		fmt.Fprintf(&b, g.tr("算不出：%s", "cannot be worked out: %s"), d.Text)
	default:
		b.WriteString(d.Text)
	}
	if d.Kind == rules.Missing && len(d.Got) == 0 && len(d.Verdicts) == 0 {
		b.WriteString(g.tr("\n实有：没有", "\nthere is none"))
	}
	for _, o := range d.Got {
		b.WriteString("\n" + g.tr("实有 ", "there is ") + g.gotten(o))
	}
	if n := d.Total - len(d.Got); n > 0 && len(d.Got) > 0 {
		fmt.Fprintf(&b, g.tr("\n……另有 %d 项", "\n... and %d more"), n)
	}
	for _, v := range d.Verdicts {
		fmt.Fprintf(&b, "\n%s %s %s: %s", g.tr("规则结论", "verdict"), v.Subject, v.Occurrence, g.outcome(v.Outcome))
		if why := g.because(v); why != g.outcome(v.Outcome) {
			b.WriteString(", " + why)
		}
		if v.Outcome == obligation.Outside && !v.Due.IsZero() {
			b.WriteString(" (" + v.Due.String() + ")")
		}
	}
	return b.String()
}

// gotten is one obligation in the words of a case.
func (g *global) gotten(o obligation.Obligation) string {
	words := []string{o.Subject.String(), "occurrence " + o.Occurrence, "due " + o.Due.String(), "raise " + o.Raise.String(), "state " + string(o.State)}
	if !o.Party.IsZero() {
		words = append(words, "party "+o.Party.String())
	}
	words = append(words, "role "+o.Role)
	if o.Owner != "" {
		words = append(words, "owner "+o.Owner)
	}
	if o.Progress.Need > 0 {
		words = append(words, fmt.Sprintf("have %d, need %d", o.Progress.Have, o.Progress.Need))
	}
	if o.Provisional {
		words = append(words, "provisional")
	}
	return strings.Join(words, ", ")
}

// readCases reads the files named, those of a directory, or those that belong
// to the rulebook. Every mistake of every file comes at once.
func (g *global) readCases(args []string) ([]rules.Case, error) {
	if len(args) == 0 {
		beside := ""
		if book := g.rulesPath(); book != "" {
			beside = filepath.Join(filepath.Dir(book), "cases")
		}
		if info, err := os.Stat(beside); beside == "" || err != nil || !info.IsDir() {
			return rules.ShippedCases()
		}
		args = []string{beside}
	}
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, fmt.Errorf("read cases: %w", err)
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		there, err := fs.Glob(os.DirFS(arg), "*.yaml")
		if err != nil {
			return nil, fmt.Errorf("read cases: %w", err)
		}
		if len(there) == 0 {
			return nil, api.Errorf(api.BadFile, "", "read cases: no *.yaml in %s", arg)
		}
		for _, name := range there {
			files = append(files, filepath.Join(arg, name))
		}
	}
	var out []rules.Case
	var mistakes rules.Problems
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read cases: %w", err)
		}
		cases, err := rules.ReadCases(file, text)
		var ps rules.Problems
		if errors.As(err, &ps) {
			mistakes = append(mistakes, ps...)
		} else if err != nil {
			return nil, err
		}
		out = append(out, cases...)
	}
	if len(mistakes) > 0 {
		return nil, api.Errorf(api.BadFile, "", "%v", mistakes)
	}
	return out, nil
}
