package scheduler

import (
	"slices"
	"strings"

	"tickler/api"
	"tickler/obligation"
)

// act is something that not everybody may do.
type act string

const (
	actRead     act = "read"
	actRecord   act = "record"
	actWithdraw act = "withdraw"
	actSubmit   act = "submit"
	actSign     act = "sign"
	actReturn   act = "return"
	actWaive    act = "waive"
	actReopen   act = "reopen"
	actReassign act = "reassign"
	actSnooze   act = "snooze"
	actDeputy   act = "deputy"
	actImport   act = "import"
	actScan     act = "tick"
	actRules    act = "rules activate"
	actUsers    act = "user"
	actTry      act = "simulate"
	actClock    act = "clock confirm"
)

var (
	performers = []string{"officer", "supervisor", "monitor", "risk_manager", "deputy_president", "president", "asset_manager"}
	managers   = []string{"supervisor", "deputy_president", "president"}
)

// may is who may do what, whichever way he comes. Who sets up (root, the owner
// of the data directory, ops) sees to facts, rules and people, and takes no
// part in the life of a duty.
//
// act -> roles; setup stands for who sets up
var may = map[act][]string{
	actRead:     append([]string{"setup", "ops", "auditor"}, performers...),
	actRecord:   append([]string{"setup"}, performers...),
	actWithdraw: append([]string{"setup"}, performers...),
	actSubmit:   performers,
	actSign:     append([]string{"monitor", "risk_manager", "asset_manager"}, managers...),
	actReturn:   performers, // his own, or what waits for his signature
	actWaive:    performers,
	actReopen:   managers,
	actReassign: managers,
	actSnooze:   performers,
	actDeputy:   append([]string{"setup", "ops"}, managers...),
	actImport:   {"setup", "ops"},
	actScan:     append([]string{"setup", "ops"}, managers...),
	actRules:    {"setup", "ops", "president", "deputy_president"},
	actUsers:    {"setup", "ops"},
	actTry:      append([]string{"setup", "ops", "auditor"}, managers...),
	actClock:    {"setup", "ops"},
}

// ofLife are the acts that make up the life of a duty. Who is ops takes no part
// in them, whatever else he is.
var ofLife = []act{actSubmit, actSign, actReturn, actWaive, actReopen, actReassign}

// delegable are the acts of a principal that are his deputy's too.
var delegable = []act{actSubmit, actSign, actReturn}

// may says whether a person's role, or that of whom he stands in for, allows an
// act at all.
func (p *person) may(a act) error {
	if p.system {
		return nil
	}
	if p.setup && slices.Contains(may[a], "setup") {
		return nil
	}
	allows := func(r string) bool { return slices.Contains(may[a], r) }
	switch {
	case p.is("ops") && slices.Contains(ofLife, a):
	case slices.ContainsFunc(p.Roles, allows):
		return nil
	case slices.Contains(delegable, a) && p.performs() && slices.ContainsFunc(p.standsFor, func(x *person) bool { return slices.ContainsFunc(x.Roles, allows) }):
		return nil
	}
	return api.Errorf(api.NotAllowed, "", "%s may not %s (无权操作); that is for %s", p, a, strings.Join(may[a], ", "))
}

func (p *person) is(role string) bool { return slices.Contains(p.Roles, role) }

// performs says that he is somebody who does duties at all.
func (p *person) performs() bool {
	return !p.is("ops") && slices.ContainsFunc(p.Roles, func(r string) bool { return slices.Contains(performers, r) })
}

// rank orders those who name deputies for others.
func rank(p *person) int {
	top := -1
	for _, r := range p.Roles {
		top = max(top, slices.Index(managers, r))
	}
	return top
}

// String names a person for messages.
func (p *person) String() string {
	switch {
	case p.system:
		return "the daemon"
	case p.setup:
		return "OS user " + p.OSUser + ", who is no member of the staff,"
	case len(p.Roles) == 0:
		return p.Staff + " without a role"
	}
	return p.Staff + " (" + strings.Join(p.Roles, ", ") + ")"
}

// perform says that a person may do the duty itself: it is his, or that of
// whom he stands in for; or it is nobody's by name and he has its role in its
// branch.
func (c *change) perform(o *obligation.Obligation) error {
	p := c.person
	if p.system || o.Owner == p.Staff {
		return nil
	}
	if o.Owner == "" {
		if c.view.as(o.Role, o) {
			return nil
		}
		return api.Errorf(api.NotAllowed, "", "obligation %q is for a %s; %s is none (岗位不符)", o.Key, o.Role, p)
	}
	if slices.ContainsFunc(p.standsFor, func(x *person) bool { return x.Staff == o.Owner }) {
		return nil
	}
	return api.Errorf(api.NotAllowed, "a supervisor can give it to you: tickler reassign", "obligation %q is %s's, not %s's (不是本人的事项)", o.Key, o.Owner, p.Staff)
}

// signsFor says that a person may sign an obligation as a role: it is his, or
// that of someone whom he stands in for, in its branch.
func (c *change) signsFor(role string, o *obligation.Obligation) error {
	if c.view.as(role, o) {
		return nil
	}
	return api.Errorf(api.NotAllowed, "", "the signature waited for is that of the %s; %s is none (不是当前签批岗位)", role, c.person)
}
