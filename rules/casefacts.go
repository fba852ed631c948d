package rules

import (
	"slices"
	"sort"

	"gopkg.in/yaml.v3"

	"tickler/calendar"
	"tickler/loan"
)

// caseFacts are the facts of a case with all their versions; replay.go shows
// of them what was known on a day.
type caseFacts struct {
	loans       []*loan.LoanFile // in the order of the case
	borrowers   map[string]*loan.Borrower
	collaterals map[string]*loan.Collateral
	groups      map[string]*loan.Group
	branches    map[string]*loan.Branch
	staff       map[string]*loan.Staff
	events      []caseEvent // by day, those of one day in the order of the case
}

// caseEvent is an event as a case has it, and where it stands in the file.
type caseEvent struct {
	loan.Event
	at        place
	withdrawn calendar.Date // the day on which it is taken back; zero: it stands
}

// The facts that a case leaves out.
const (
	aBorrower, aBranch, anOfficer, aGroup = "C1", "B1", "S1", "G1"

	aBalance loan.Fen = 1_000_000_00
)

func (r *caseReader) facts(facts, events, then *yaml.Node) {
	f := &r.c.facts
	f.borrowers, f.collaterals = map[string]*loan.Borrower{}, map[string]*loan.Collateral{}
	f.groups, f.branches, f.staff = map[string]*loan.Group{}, map[string]*loan.Branch{}, map[string]*loan.Staff{}
	if facts != nil {
		var guarantors []*yaml.Node
		add := func(what string, one func(n *yaml.Node)) func(*yaml.Node) {
			return func(n *yaml.Node) {
				for _, item := range r.several(n, what) {
					one(item)
				}
			}
		}
		both := func(one, many string, take func(n *yaml.Node)) []slot {
			return []slot{{one, add(one, take)}, {many, add(many, take)}}
		}
		r.slots(facts, "facts", slices.Concat(
			both("loan", "loans", r.firstLoan),
			both("borrower", "borrowers", r.borrower),
			both("guarantor", "guarantors", func(n *yaml.Node) { guarantors = append(guarantors, n) }),
			both("collateral", "collaterals", r.collateral),
			both("group", "groups", r.group),
			both("branch", "branches", r.branch),
			[]slot{{"staff", add("staff", r.person)}},
			[]slot{{"then", func(n *yaml.Node) { r.then(n) }}},
			both("event", "events", r.event),
		))
		for _, n := range guarantors {
			r.guarantor(n)
		}
	}
	if then != nil {
		r.then(then)
	}
	if events != nil {
		for _, item := range r.several(events, "events") {
			r.event(item)
		}
	}
	for _, l := range f.loans {
		sort.Slice(l.Guarantors, func(i, j int) bool { return l.Guarantors[i].ID < l.Guarantors[j].ID })
	}
	sort.SliceStable(f.events, func(i, j int) bool { return f.events[i].Happened < f.events[j].Happened })
}

var (
	ownClasses     = map[string]string{"正常": "normal", "关注": "special_mention", "次级": "substandard", "可疑": "doubtful", "损失": "loss"}
	ownModes       = map[string]string{"常规": "regular", "重点": "key"}
	modeWords      = []string{string(loan.Regular), string(loan.Key)}
	originWords    = []string{string(loan.OriginNew), string(loan.OriginRefinanced), string(loan.OriginRestructured), string(loan.OriginExtended)}
	ownOrigins     = map[string]string{"新发放": "new", "借新还旧": "refinanced", "重组": "restructured", "展期": "extended"}
	settlements    = []string{string(loan.SettleMonthly), string(loan.SettleQuarterly), string(loan.SettleHalfYearly), string(loan.SettleYearly), string(loan.SettleAtMaturity)}
	ownSettlements = map[string]string{"按月": "month", "按季": "quarter", "按半年": "half_year", "按年": "year", "利随本清": "maturity"}
)

// derivedFacts follow from others, so that no case can give them.
var derivedFacts = map[string]string{
	"unpaid":          "it follows from balance, maturity and the day (由余额、到期日推出)",
	"abnormal":        "give class, a maturity that has passed, or the event warning.opened",
	"maturity_landed": "it follows from maturity and the calendar",
}

// firstLoan reads a loan as first known, with what is missing filled in.
func (r *caseReader) firstLoan(n *yaml.Node) {
	f := &r.c.facts
	l := loan.Loan{ID: numbered("JJ", len(f.loans)), Borrower: aBorrower, Branch: aBranch, Officer: anOfficer, Currency: "CNY", Class: loan.Normal, Mode: loan.Regular}
	given := r.loan(n, &l)
	if !given["amount"] {
		if l.Amount = aBalance; l.Balance > 0 {
			l.Amount = l.Balance
		}
	}
	if !given["balance"] && !given["settled"] {
		l.Balance = l.Amount
	}
	if l.Disbursed.IsZero() && !given["disbursed"] {
		// A year before it ends, or before the case: neither new nor short.
		if l.Disbursed = r.c.On.AddMonths(-12); !l.Maturity.IsZero() {
			l.Disbursed = min(r.c.On, l.Maturity).AddMonths(-12)
		}
	}
	r.checkLoan(n, &l)
	if slices.ContainsFunc(f.loans, func(x *loan.LoanFile) bool { return x.ID == l.ID }) {
		r.bad(n, "give this one another id", "loan %q is there already", l.ID)
		return
	}
	from := min(l.Disbursed, r.c.On)
	f.loans = append(f.loans, &loan.LoanFile{ID: l.ID, History: loan.History[loan.Loan]{{From: from, Value: l}}})
}

func (r *caseReader) checkLoan(n *yaml.Node, l *loan.Loan) {
	if !l.Maturity.IsZero() && l.Maturity < l.Disbursed {
		r.bad(n, "", "loan %s: its maturity %s is before its payout %s", l.ID, l.Maturity, l.Disbursed)
	}
}

// loan reads the keys of a loan over what it holds, and says which there were.
func (r *caseReader) loan(n *yaml.Node, l *loan.Loan) (given map[string]bool) {
	given = map[string]bool{}
	term := 0
	text := func(name string, to *string) slot {
		return slot{name, func(n *yaml.Node) { *to = r.str(n, name) }}
	}
	day := func(name string, to *calendar.Date) slot {
		return slot{name, func(n *yaml.Node) { *to = r.day(n, name) }}
	}
	known := []slot{
		text("id", &l.ID), text("contract", &l.Contract), text("borrower", &l.Borrower), text("borrower_name", &l.BorrowerName),
		text("branch", &l.Branch), text("officer", &l.Officer), text("product", &l.Product), text("currency", &l.Currency),
		{"amount", func(n *yaml.Node) { l.Amount = r.yuan(n, "amount") }},
		{"balance", func(n *yaml.Node) { l.Balance = r.yuan(n, "balance") }},
		{"interest_arrears", func(n *yaml.Node) { l.Arrears = r.yuan(n, "interest_arrears") }},
		{"settled", func(n *yaml.Node) {
			if r.boolean(n, "settled") {
				l.Balance, l.Arrears = 0, 0
			}
		}},
		day("disbursed", &l.Disbursed), day("maturity", &l.Maturity),
		{"term_months", func(n *yaml.Node) { term = r.count(n, "term_months") }},
		day("original_maturity", &l.OriginalMaturity),
		{"class", func(n *yaml.Node) { l.Class = loan.Class(r.either(n, "class", classWords(), ownClasses)) }},
		{"mode", func(n *yaml.Node) { l.Mode = loan.Mode(r.either(n, "mode", modeWords, ownModes)) }},
		text("guarantee", &l.Guarantee), text("rate", &l.Rate),
		{"guarantors", func(n *yaml.Node) { l.Guarantors = r.strs(n, "guarantors") }},
		{"extensions", func(n *yaml.Node) { l.Extensions = r.count(n, "extensions") }},
		{"origin", func(n *yaml.Node) { l.Origin = loan.Origin(r.either(n, "origin", originWords, ownOrigins)) }},
		{"extended", func(n *yaml.Node) {
			if l.Extensions = 0; r.boolean(n, "extended") {
				l.Extensions = 1
			}
		}},
		{"first_time", func(n *yaml.Node) {
			if r.boolean(n, "first_time") {
				l.Extensions, l.Origin = 0, loan.OriginNew
			} else {
				l.Origin = loan.OriginRefinanced
			}
		}},
		text("status", &l.Status),
		{"transferred", func(n *yaml.Node) {
			if l.Status = ""; r.boolean(n, "transferred") {
				l.Status = "移交"
			}
		}},
		{"interest", func(n *yaml.Node) { l.Interest = r.interest(n) }},
		{"fee_dates", func(n *yaml.Node) {
			l.FeeDates = nil
			for _, item := range r.oneOrMore(n, "fee_dates") {
				l.FeeDates = append(l.FeeDates, r.day(item, "fee_dates"))
			}
			slices.Sort(l.FeeDates)
		}},
		{"x", func(n *yaml.Node) { l.X = r.table(n, "x") }},
	}
	for i := range known {
		take, name := known[i].take, known[i].name
		known[i].take = func(n *yaml.Node) { given[name] = true; take(n) }
	}
	r.slots(r.without(n, "loan", derivedFacts), "a loan", known)
	switch {
	case term > 0 && given["maturity"]:
		r.bad(n, "keep maturity", "loan %s: maturity and term_months both say when it ends", l.ID)
	case term > 0:
		l.Maturity = l.Disbursed.AddMonths(term)
	}
	return given
}

// interest reads a schedule, or only how often: interest: month.
func (r *caseReader) interest(n *yaml.Node) loan.Schedule {
	var s loan.Schedule
	every := func(n *yaml.Node) {
		s.Every = loan.Settlement(r.either(n, "interest", settlements, ownSettlements))
	}
	if n.Kind == yaml.ScalarNode {
		every(n)
		return s
	}
	dayOfMonth := func(name string, to *int) slot {
		return slot{name, func(n *yaml.Node) {
			if *to = r.count(n, name); *to > 31 {
				r.bad(n, "", "%s: want a day of the month, 1 to 31", name)
			}
		}}
	}
	r.slots(n, "interest", []slot{
		{"every", every}, dayOfMonth("settle_day", &s.SettleDay), dayOfMonth("pay_day", &s.PayDay),
		{"pay_date", func(n *yaml.Node) { s.PayDate = r.day(n, "pay_date") }},
	})
	return s
}

// then reads what later files said: a version of a loan from a day on.
func (r *caseReader) then(n *yaml.Node) {
	type later struct {
		on    calendar.Date
		loans []*yaml.Node
	}
	var all []later
	for _, item := range r.several(n, "then") {
		var v later
		take := func(n *yaml.Node) { v.loans = append(v.loans, r.several(n, "loan")...) }
		r.slots(item, "then", []slot{
			{"on", func(n *yaml.Node) {
				if v.on = r.day(n, "on"); v.on > r.c.On {
					r.bad(n, "", "then: %s is after the day of the case, %s", v.on, r.c.On)
				}
			}},
			{"loan", take}, {"loans", take},
		})
		if v.on.IsZero() && item.Kind == yaml.MappingNode {
			r.bad(item, "add on: DATE", "then: no day")
		}
		all = append(all, v)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].on < all[j].on })
	for _, v := range all {
		for _, n := range v.loans {
			r.laterLoan(v.on, n)
		}
	}
}

func (r *caseReader) laterLoan(on calendar.Date, n *yaml.Node) {
	f := &r.c.facts
	if len(f.loans) == 0 {
		r.bad(n, "", "then: there is no loan to change")
		return
	}
	file := f.loans[0]
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value != "id" {
				continue
			}
			id := n.Content[i+1]
			at := slices.IndexFunc(f.loans, func(x *loan.LoanFile) bool { return x.ID == id.Value })
			if at < 0 {
				r.bad(id, didYouMean(id.Value, f.loanIDs()), "then: there is no loan %q", id.Value)
				return
			}
			file = f.loans[at]
		}
	}
	last := file.History[len(file.History)-1]
	if on <= file.History[0].From && !on.IsZero() {
		r.bad(n, "", "then: loan %s is first known on %s, not before %s", file.ID, file.History[0].From, on)
		return
	}
	l := last.Value
	r.loan(n, &l)
	r.checkLoan(n, &l)
	file.History = file.History.Put(loan.Version[loan.Loan]{From: on, Value: l})
}

func (f *caseFacts) loanIDs() []string {
	var out []string
	for _, l := range f.loans {
		out = append(out, l.ID)
	}
	return out
}

func (r *caseReader) text(name string, to *string) slot {
	return slot{name, func(n *yaml.Node) { *to = r.str(n, name) }}
}

func (r *caseReader) date(name string, to *calendar.Date) slot {
	return slot{name, func(n *yaml.Node) { *to = r.day(n, name) }}
}

func (r *caseReader) money(name string, to *loan.Fen) slot {
	return slot{name, func(n *yaml.Node) { *to = r.yuan(n, name) }}
}

func (r *caseReader) others(to *map[string]string) slot {
	return slot{"x", func(n *yaml.Node) { *to = r.table(n, "x") }}
}

func (r *caseReader) borrower(n *yaml.Node) {
	f := &r.c.facts
	b := &loan.Borrower{ID: aBorrower}
	if len(f.loans) > 0 {
		b.ID = f.loans[0].History[0].Value.Borrower
	}
	r.slots(n, "a borrower", []slot{
		r.text("id", &b.ID), r.text("name", &b.Name), r.text("certificate", &b.Certificate), r.text("type", &b.Type), r.text("industry", &b.Industry),
		{"mode", func(n *yaml.Node) { b.Mode = loan.Mode(r.either(n, "mode", modeWords, ownModes)) }},
		r.text("rating", &b.Rating), r.text("group", &b.Group), r.text("branch", &b.Branch), r.text("officer", &b.Officer),
		r.text("risk_manager", &b.RiskManager), r.text("custodian", &b.Custodian), r.money("stock", &b.Stock), r.money("exposure", &b.Exposure), r.others(&b.X),
	})
	f.borrowers[b.ID] = b
}

// guarantor reads one of the guarantor sheet: his name, or a row. Without a
// loan he stands for the first one.
func (r *caseReader) guarantor(n *yaml.Node) {
	f := &r.c.facts
	var g loan.Guarantor
	if len(f.loans) > 0 {
		g.Loan = f.loans[0].ID
	}
	if n.Kind == yaml.ScalarNode {
		g.Name = r.str(n, "guarantors")
	} else {
		r.slots(n, "a guarantor", []slot{
			r.text("loan", &g.Loan), r.text("id", &g.ID), r.text("name", &g.Name), r.text("contract", &g.Contract), r.money("amount", &g.Amount),
			r.date("period_until", &g.PeriodUntil), r.others(&g.X),
		})
	}
	g.ID, g.Name = pick(g.ID, g.Name), pick(g.Name, g.ID)
	i := slices.IndexFunc(f.loans, func(x *loan.LoanFile) bool { return x.ID == g.Loan })
	if i < 0 {
		r.bad(n, didYouMean(g.Loan, f.loanIDs()), "a guarantor: there is no loan %q", g.Loan)
		return
	}
	f.loans[i].Guarantors = append(f.loans[i].Guarantors, g)
}

func (r *caseReader) collateral(n *yaml.Node) {
	f := &r.c.facts
	c := &loan.Collateral{ID: numbered("YP", len(f.collaterals)), Loans: f.loanIDs()}
	loans := func(n *yaml.Node) { c.Loans = r.strs(n, "loans") }
	r.slots(n, "a collateral", []slot{
		r.text("id", &c.ID), {"loan", loans}, {"loans", loans}, r.text("name", &c.Name), r.text("type", &c.Type), r.money("value", &c.Value),
		r.date("valued", &c.Valued), r.date("insured_until", &c.InsuredUntil), r.date("last_inspected", &c.LastInspected), r.others(&c.X),
	})
	for _, id := range c.Loans {
		if !slices.Contains(f.loanIDs(), id) {
			r.bad(n, didYouMean(id, f.loanIDs()), "collateral %s: there is no loan %q", c.ID, id)
		}
	}
	slices.Sort(c.Loans)
	f.collaterals[c.ID] = c
}

func (r *caseReader) group(n *yaml.Node) {
	g := &loan.Group{ID: aGroup}
	r.slots(n, "a group", []slot{
		r.text("id", &g.ID), r.text("name", &g.Name),
		{"members", func(n *yaml.Node) {
			for _, item := range r.several(n, "members") {
				m := loan.GroupMember{Borrower: aBorrower, Branch: aBranch}
				r.slots(item, "a member", []slot{
					r.text("borrower", &m.Borrower), r.text("branch", &m.Branch),
					{"lead", func(n *yaml.Node) { m.Lead = r.boolean(n, "lead") }},
					{"role", func(n *yaml.Node) {
						m.Lead = r.either(n, "role", []string{"lead", "participant"}, map[string]string{"牵头行": "lead", "参与行": "participant"}) == "lead"
					}},
				})
				g.Members = append(g.Members, m)
			}
		}},
	})
	r.c.facts.groups[g.ID] = g
}

func (r *caseReader) branch(n *yaml.Node) {
	b := &loan.Branch{ID: numbered("B", len(r.c.facts.branches))}
	r.slots(n, "a branch", []slot{
		r.text("id", &b.ID), r.text("name", &b.Name), r.text("parent", &b.Parent), r.text("level", &b.Level),
		r.date("opened", &b.Opened), r.date("last_supervised", &b.LastSupervised), r.others(&b.X),
	})
	if b.Name == "" {
		b.Name = b.ID
	}
	r.c.facts.branches[b.ID] = b
}

func (r *caseReader) person(n *yaml.Node) {
	s := &loan.Staff{ID: numbered("S", len(r.c.facts.staff)), Branch: aBranch}
	r.slots(n, "a member of the staff", []slot{
		r.text("id", &s.ID), r.text("name", &s.Name), r.text("branch", &s.Branch), r.text("post", &s.Post),
		r.text("email", &s.Email), r.text("mobile", &s.Mobile), r.text("os_user", &s.OSUser),
	})
	if s.Name == "" {
		s.Name = s.ID
	}
	r.c.facts.staff[s.ID] = s
}
