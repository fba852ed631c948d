package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
	"tickler/report"
)

// sampleOptions say what to draw.
type sampleOptions struct {
	Branch  string
	Seed    uint32
	Size    int // borrowers, at least
	Largest int // so many by balance are the branch's largest

	seedGiven bool
}

func (o *sampleOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Branch, "branch", "", "the inspected branch (被查行), by `ID`; its own loans, not those of branches below it")
	f.Uint32Var(&o.Seed, "seed", 0, "draw with seed `N` (default: follows from the branch and the day)")
	f.IntVar(&o.Size, "size", report.MinBorrowers, "at least `N` borrowers")
	f.IntVar(&o.Largest, "largest", report.DefaultLargest, "the first `N` by balance are the branch's largest; equals of the last count too")
}

func newReportSampleCommand(g *global) *cobra.Command {
	var o sampleOptions
	c := &cobra.Command{
		Use:   "sample --branch ID [flags]",
		Short: "The sample of an on-site supervision · 现场督导抽查",
		Long: `sample draws the borrowers and loans that an on-site supervision of a branch
opens (篇三 五 1-4): at least 10 borrowers with one or two loans each; by their
worst open loan at least 3 normal, 4 special mention and 3 NPL; at least 3 of the
branch's largest; at least 5 whose loans are guaranteed, mortgaged or pledged.
One borrower may serve several of these, and each says which.

NPL borrowers that are missing are shared out, 3 to 4, over normal and special
mention, by the largest remainder: of one, two, three missing normal takes 0, 1, 1
and special mention 1, 1, 2. If normal or special mention are short, all there are
get drawn, the sample is filled up from the others, and the constraint is shown as
impossible, with how many there are. More than 10 (or --size) are drawn only if
the constraints cannot be met with fewer.

The manual does not say how many are the largest: here the first 10 by balance
(--largest). The seed is printed; the same seed, day and facts give the same sample.
Without --seed it follows from the branch and the day, so that there is no drawing
again until the sample pleases. Bring a number of your own if the branch is not to
know its sample beforehand.`,
		Example: `  tickler report sample --branch B01
  tickler report sample --branch B01 --seed 271828 --size 15
  tickler report sample --branch B01 --on 2026-11-23 -o csv > sample.csv`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.seedGiven = c.Flags().Changed("seed")
			return runReportSample(c.Context(), g, o)
		},
	}
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

// maxSample bounds --size and --largest: more is the whole branch.
const maxSample = 100000

func runReportSample(ctx context.Context, g *global, o sampleOptions) error {
	switch {
	case o.Branch == "":
		return usagef("--branch is missing: which branch is inspected?")
	case o.Size < report.MinBorrowers || o.Size > maxSample:
		return usagef("--size %d: want %d to %d", o.Size, report.MinBorrowers, maxSample)
	case o.Largest < report.MinLargest || o.Largest > maxSample:
		return usagef("--largest %d: want %d to %d, for %d of them are drawn", o.Largest, report.MinLargest, maxSample, report.MinLargest)
	}
	r := api.SampleRequest{Branch: o.Branch, On: g.on.Date, Size: o.Size, Largest: o.Largest}
	if o.seedGiven {
		r.Seed = &o.Seed
	}
	return g.withClient(ctx, func(c *api.Client) error {
		s, err := c.Sample(ctx, r)
		if err != nil {
			return err
		}
		return g.writeSample(s)
	})
}

func (g *global) writeSample(s *api.SampleReply) error {
	switch g.output {
	case "json":
		return writeJSON(g.stdout, s)
	case "csv":
		return writeCSV(g.stdout, []string{"branch", "on", "seed", "borrower", "name", "class", "balance", "rank", "secured", "serves", "loan", "loan_class", "loan_balance", "guarantee"}, func(yield func([]string) bool) {
			for _, p := range s.Picks {
				for _, l := range p.Loans {
					if !yield([]string{s.Branch.ID, s.On.String(), strconv.FormatUint(uint64(s.Seed), 10), p.Borrower, p.Name, string(p.Class), p.Balance.String(), strconv.Itoa(p.Rank),
						strconv.FormatBool(p.Secured), strings.Join(p.Serves, " "), l.ID, string(l.Class), l.Balance.String(), l.Guarantee}) {
						return
					}
				}
			}
		})
	case "name":
		for _, p := range s.Picks {
			fmt.Fprintln(g.stdout, p.Borrower)
		}
		return nil
	}
	origin := g.tr("由机构和日期得出", "follows from the branch and the day")
	if s.SeedGiven {
		origin = g.tr("由 --seed 给出", "given by --seed")
	}
	where := strings.TrimSpace(s.Branch.ID + " " + s.Branch.Name)
	fmt.Fprintf(g.stdout, g.tr("现场督导抽查  %s  %s  种子 %d（%s）\n\n", "supervision sample  %s  %s  seed %d (%s)\n\n"), where, s.On, s.Seed, origin)
	if err := g.constraintSheet(s).print(g.stdout, g.colour()); err != nil {
		return err
	}
	fmt.Fprintln(g.stdout)
	return g.pickSheet(s).print(g.stdout, g.colour())
}

func (g *global) constraintSheet(s *api.SampleReply) *sheet {
	t := &sheet{heads: []string{g.tr("要求", "Constraint"), g.tr("应抽", "Want"), g.tr("实抽", "Drawn"), g.tr("全行", "There"), g.tr("结果", "Result"), g.tr("依据", "Clause"), g.tr("说明", "Note")},
		right: map[int]bool{1: true, 2: true, 3: true}, shrink: []shrink{{6, 20}}}
	for i := range s.Constraints {
		c := &s.Constraints[i]
		result, colours := g.tr("满足", "met"), text.Colors(nil)
		if c.State == report.Impossible {
			result, colours = g.tr("无法满足", "impossible"), late
		}
		want := strconv.Itoa(c.Want)
		if c.Word == report.InLoans {
			want = g.tr("每户1-2", "1-2 each")
		}
		t.add(colours, g.constraint(c.Word), want, strconv.Itoa(c.Got), strconv.Itoa(c.There), result, c.Clause, g.constraintNote(s, c))
	}
	return t
}

// constraintNote says why the numbers are what they are.
func (g *global) constraintNote(s *api.SampleReply, c *report.Constraint) string {
	switch {
	case c.State == report.Impossible:
		return g.tr(fmt.Sprintf("全行只有 %d，全部抽取", c.There), fmt.Sprintf("there are only %d: all were drawn", c.There))
	case c.Word == report.InSize && c.Got > c.Want:
		return g.tr(fmt.Sprintf("各项要求合计至少需要 %d 户", c.Got), fmt.Sprintf("the constraints together take %d", c.Got))
	case c.Word == report.InNPL && c.Want < c.Rule:
		return g.tr(fmt.Sprintf("应抽 %d 户，差 %d 户按 3:4 分摊到正常、关注", c.Rule, c.Rule-c.Want), fmt.Sprintf("of %d, %d are missing and shared out 3 to 4 over normal and special mention", c.Rule, c.Rule-c.Want))
	case (c.Word == report.InNormal || c.Word == report.InSpecial) && c.Want > c.Rule:
		return g.tr(fmt.Sprintf("原 %d 户，分摊不良不足 %d 户", c.Rule, c.Want-c.Rule), fmt.Sprintf("%d, and %d for missing NPLs", c.Rule, c.Want-c.Rule))
	case c.Word == report.InLargest:
		return g.tr(fmt.Sprintf("余额前 %d 名", s.Largest), fmt.Sprintf("the first %d by balance", s.Largest))
	}
	return ""
}

func (g *global) pickSheet(s *api.SampleReply) *sheet {
	t := &sheet{heads: []string{g.tr("客户号", "Borrower"), g.tr("客户名称", "Name"), g.tr("分类", "Class"), g.tr("余额", "Balance"), g.tr("排名", "Rank"), g.tr("满足", "Serves"), g.tr("抽查借据", "Loans")},
		right: map[int]bool{3: true, 4: true}, shrink: []shrink{{1, 12}, {6, 16}}}
	for i := range s.Picks {
		p := &s.Picks[i]
		var serves, loans []string
		for _, w := range p.Serves {
			serves = append(serves, g.constraint(w))
		}
		for _, l := range p.Loans {
			id := l.ID
			if !l.Gone.IsZero() {
				id += g.tr("（"+l.Gone.String()+" 起不在台账）", " (not in the ledger since "+l.Gone.String()+")")
			}
			loans = append(loans, id)
		}
		t.add(nil, p.Borrower, p.Name, g.value(string(p.Class)), p.Balance.String(), strconv.Itoa(p.Rank), strings.Join(serves, g.tr("、", ", ")), strings.Join(loans, g.tr("、", ", ")))
	}
	return t
}

var constraintWords = map[string][2]string{
	report.InSize: {"户数", "borrowers"}, report.InLoans: {"笔数", "loans"}, report.InNormal: {"正常", "normal"}, report.InSpecial: {"关注", "special mention"},
	report.InNPL: {"次级及以下", "NPL"}, report.InLargest: {"贷款排名靠前", "largest"}, report.InSecured: {"有担保", "secured"},
}

func (g *global) constraint(w string) string {
	return g.tr(constraintWords[w][0], constraintWords[w][1])
}
