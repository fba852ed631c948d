package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/obligation"
)

// upcomingOptions say which obligations to list.
type upcomingOptions struct {
	From, To dateFlag
	At       dateFlag
	Days     int // after the first day, which is today unless From says otherwise
	States   []string
	All      bool
	filterOptions

	daysGiven bool
}

// filterOptions narrow a list.
type filterOptions struct{ Branch, Owner, Rule, Subject string }

func (o *filterOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Branch, "branch", "", "only of this branch (机构), by `ID`")
	f.StringVar(&o.Owner, "owner", "", "only of this person (责任人), by `ID`")
	f.StringVar(&o.Rule, "rule", "", "only of this rule, by `ID`")
	f.StringVar(&o.Subject, "subject", "", "only of this subject, as `KIND/ID`: loan/JJ2026001")
}

func (o *filterOptions) check() error {
	if o.Subject != "" {
		if _, err := loan.ParseRef(o.Subject); err != nil {
			return usagef("--subject: %v", err)
		}
	}
	return nil
}

func (o *filterOptions) request() api.ListRequest {
	return api.ListRequest{Branch: o.Branch, Owner: o.Owner, Rule: o.Rule, Subject: o.Subject}
}

func (o *upcomingOptions) AddFlags(f *pflag.FlagSet) {
	f.Var(&o.From, "from", "first due `DATE`, included")
	f.Var(&o.To, "to", "last due `DATE`, included")
	f.Var(&o.At, "at", "as it was known at the end of that `DATE`, under the rules of then")
	f.IntVar(&o.Days, "days", 30, "so many days from the first one on, `N`")
	o.filterOptions.AddFlags(f)
	f.StringSliceVar(&o.States, "state", nil, "only in these `STATE`s: planned, raised, submitted, done, waived, cancelled, lapsed")
	f.BoolVar(&o.All, "all", false, "in every state, of the whole plan unless a range is given")
}

func newUpcomingCommand(g *global) *cobra.Command {
	var o upcomingOptions
	c := &cobra.Command{
		Use:   "upcoming [flags]",
		Short: "Obligations by due date, overdue ones first · 近期事项",
		Long: `upcoming lists obligations by due date: the open ones, first what is overdue,
then what falls due today and in the next 30 days. With --from or --to it lists
exactly that range, both ends included; with --all or --state and no range it
looks through the whole plan. Any ID it shows will do for show and why.`,
		Example: `  tickler upcoming
  tickler upcoming --owner S007 --days 7
  tickler upcoming --from 2026-12-01 --to 2026-12-31 -o csv > december.csv
  tickler upcoming --all --subject loan/JJ2026001`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.daysGiven = c.Flags().Changed("days")
			return runUpcoming(c.Context(), g, o)
		},
	}
	o.AddFlags(c.Flags())
	exits(c, storeExits...)
	return c
}

// maxDays is a hundred years, more than any calendar.
const maxDays = 36525

func runUpcoming(ctx context.Context, g *global, o upcomingOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.Days < 0 || o.Days > maxDays {
		return usagef("--days %d: want 0 to %d", o.Days, maxDays)
	}
	if o.daysGiven && !o.To.IsZero() {
		return usagef("--to and --days say the same thing: give one of them")
	}
	if !o.From.IsZero() && !o.To.IsZero() && o.To.Date < o.From.Date {
		return usagef("--to %s is before --from %s", o.To, o.From)
	}
	r := o.request()
	r.On, r.At, r.All = g.on.Date, o.At.Date, o.All
	for _, s := range o.States {
		state := obligation.State(strings.TrimSpace(s))
		if !slices.Contains(obligation.States, state) {
			return usagef("--state %q: want planned, raised, submitted, done, waived, cancelled or lapsed", s)
		}
		r.States = append(r.States, state)
	}
	g.hasty()
	return g.withClient(ctx, func(c *api.Client) error {
		r.From, r.To = o.From.Date, o.To.Date
		whole := (o.All || len(r.States) > 0) && !o.daysGiven
		r.Overdue = r.From.IsZero() && r.To.IsZero() && !whole
		if r.Overdue || o.daysGiven {
			if r.From.IsZero() {
				r.From = r.At
				if r.From.IsZero() {
					today, err := g.today(ctx, c)
					if err != nil {
						return err
					}
					r.From = today
				}
			}
			r.To = r.From.AddDays(o.Days)
		}
		return g.list(ctx, c, r)
	})
}

// list asks and prints.
func (g *global) list(ctx context.Context, c *api.Client, r api.ListRequest) error {
	reply, err := c.List(ctx, r)
	if err != nil {
		return err
	}
	if err := g.printObligations(reply.Obligations); err != nil {
		return err
	}
	g.warn(reply.Warnings)
	return nil
}

// today is the day the store lives in, or --on.
func (g *global) today(ctx context.Context, c *api.Client) (calendar.Date, error) {
	if !g.on.IsZero() {
		return g.on.Date, nil
	}
	never := calendar.MustDate(9999, 12, 31)
	reply, err := c.List(ctx, api.ListRequest{From: never, To: never})
	if err != nil {
		return 0, err
	}
	return reply.Today, nil
}
