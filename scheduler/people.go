package scheduler

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tickler/api"
	"tickler/calendar"
	"tickler/loan"
	"tickler/store"
)

const (
	tableUser   = "user"   // staff number -> user
	tableDeputy = "deputy" // staff number/first day -> deputy
)

// account is a person as ops entered him. It stands over the ledger's row of the
// same staff number.
type account struct {
	Name     string    `json:"name"`
	Roles    []string  `json:"roles"`
	Branch   string    `json:"branch"`
	OSUser   string    `json:"os_user,omitempty"`
	Disabled bool      `json:"disabled,omitempty"`
	Password string    `json:"password,omitempty"` // argon2id, with its parameters; "" cannot log in
	Since    time.Time `json:"since"`
}

// deputy acts for another person for some days, both included.
type deputy struct {
	For  string        `json:"for"` // staff number
	By   string        `json:"by"`
	From calendar.Date `json:"from"`
	To   calendar.Date `json:"to"`
}

// person is who asks, as far as the store knows him.
type person struct {
	Staff    string // "" for who sets up, and for the daemon's own loop
	Name     string
	Roles    []string
	Branch   string
	Disabled bool
	OSUser   string
	Source   string // user, ledger
	Password bool   // he has one

	standsFor []*person // today, as a deputy; those who are disabled are no principals

	setup  bool // root, or the owner of the data directory whom nobody is mapped to
	system bool // the daemon itself
}

// postRoles gives the role that a post's name (岗位) stands for; the first word
// that it holds decides.
var postRoles = []struct{ word, role string }{
	{"客户经理", "officer"}, {"管户", "officer"}, {"信贷员", "officer"},
	{"监控", "monitor"}, {"监测", "monitor"}, {"风险经理", "risk_manager"}, {"资产经营", "asset_manager"}, {"资产保全", "asset_manager"},
	{"主管行长", "deputy_president"}, {"分管行长", "deputy_president"}, {"副行长", "deputy_president"}, {"行长", "president"},
	{"主管", "supervisor"}, {"主任", "supervisor"}, {"运维", "ops"}, {"审计", "auditor"}, {"稽核", "auditor"},
}

func roleOfPost(post string) []string {
	for _, p := range postRoles {
		if strings.Contains(post, p.word) || strings.EqualFold(post, p.role) {
			return []string{p.role}
		}
	}
	return nil
}

// people reads everybody: whom ops entered, and the rows of the ledger's 人员
// sheet that nobody entered.
func people(tx *store.Tx) (map[string]*person, error) {
	out := map[string]*person{}
	staff, err := tx.Staff()
	if err != nil {
		return nil, err
	}
	for id, s := range staff {
		out[id] = &person{Staff: id, Name: s.Name, Roles: roleOfPost(s.Post), Branch: s.Branch, OSUser: s.OSUser, Source: "ledger"}
	}
	err = tx.Rows(tableUser, func(id string, row json.RawMessage) error {
		var u account
		if err := json.Unmarshal(row, &u); err != nil {
			return fmt.Errorf("user %q: %w", id, err)
		}
		out[id] = &person{Staff: id, Name: u.Name, Roles: u.Roles, Branch: u.Branch, OSUser: u.OSUser, Disabled: u.Disabled, Source: "user", Password: u.Password != ""}
		return nil
	})
	return out, err
}

// who says who asks. Root sets up and is never anybody else; an OS user is the
// person he is mapped to; the owner of the data directory whom nobody is mapped
// to sets up too. Everybody else is refused.
func (s *Scheduler) who(tx *store.Tx, a Actor) (*person, error) {
	if a.System {
		return &person{system: true}, nil
	}
	all, err := people(tx)
	if err != nil {
		return nil, err
	}
	if a.Person != "" {
		p := all[a.Person]
		if p == nil {
			return nil, api.Errorf(api.NotAllowed, "tickler user list", "staff %q is no user", a.Person)
		}
		return enabled(p)
	}
	if a.OSUser == "root" {
		return &person{setup: true, OSUser: "root"}, nil
	}
	var found []*person
	for _, p := range all {
		if p.OSUser == a.OSUser && a.OSUser != "" {
			found = append(found, p)
		}
	}
	// Whom ops entered stands over the ledger's rows; an account that was given on
	// is its new user's.
	off := func(p *person) int {
		if p.Disabled {
			return 1
		}
		return 0
	}
	slices.SortFunc(found, func(x, y *person) int {
		return cmp.Or(cmp.Compare(y.Source, x.Source), cmp.Compare(off(x), off(y)), cmp.Compare(x.Staff, y.Staff))
	})
	switch {
	case len(found) > 0 && (len(found) == 1 || found[0].Source != found[1].Source || found[0].Disabled != found[1].Disabled):
		return enabled(found[0])
	case len(found) > 1:
		return nil, api.Errorf(api.NotAllowed, "ops mends that with \"tickler user add\"", "OS user %q is mapped to %s and %s", a.OSUser, found[0].Staff, found[1].Staff)
	case a.Owner:
		return &person{setup: true, OSUser: a.OSUser}, nil
	}
	return nil, api.Errorf(api.NotAllowed, "ask ops: tickler user add STAFF --os-user "+a.OSUser, "OS user %q is no user of this branch (未登记的用户)", a.OSUser)
}

func enabled(p *person) (*person, error) {
	if p.Disabled {
		return nil, api.Errorf(api.NotAllowed, "ask ops", "user %s (%s) is disabled", p.Staff, p.Name)
	}
	return p, nil
}

// principals lists whom a person stands in for on a day, by staff number.
func principals(tx *store.Tx, by string, day calendar.Date) ([]string, error) {
	var out []string
	if by == "" {
		return nil, nil
	}
	err := tx.Rows(tableDeputy, func(_ string, row json.RawMessage) error {
		var d deputy
		if err := json.Unmarshal(row, &d); err != nil {
			return fmt.Errorf("deputies: %w", err)
		}
		if d.By == by && d.From <= day && day <= d.To && !slices.Contains(out, d.For) {
			out = append(out, d.For)
		}
		return nil
	})
	return out, err
}

// knownStaff gives who has a staff number, of those in sight: another branch's
// answers as one that nobody has. A number that only loans name is an officer's.
func knownStaff(tx *store.Tx, view *sight, id string) (*person, error) {
	all, err := people(tx)
	if err != nil {
		return nil, err
	}
	p := all[id]
	if p == nil {
		ids, err := tx.BorrowersOfOfficer(id)
		if err != nil {
			return nil, err
		}
		if len(ids) > 0 {
			p = &person{Staff: id, Roles: []string{"officer"}, Source: "ledger"}
			if p.Branch, err = branchOfSubject(tx, 1<<30, officerUnit(id)); err != nil {
				return nil, err
			}
		}
	}
	if p == nil || !view.branch(p.Branch) && id != view.staff {
		return nil, api.Errorf(api.NotFound, "\"tickler user list\" shows them", "staff %q is not known", id)
	}
	return p, nil
}

// worker gives somebody in sight who can be given work.
func worker(tx *store.Tx, view *sight, id string) (*person, error) {
	p, err := knownStaff(tx, view, id)
	if err != nil {
		return nil, err
	}
	if p.Disabled {
		return nil, api.Errorf(api.Usage, "name another one", "%s (%s) is disabled", p.Staff, p.Name)
	}
	if !p.performs() {
		return nil, api.Errorf(api.Usage, "name another one", "%s performs no duties", p)
	}
	return p, nil
}

func branchOfSubject(tx *store.Tx, today calendar.Date, u loan.Ref) (string, error) {
	switch u.Kind {
	case loan.KindBranch:
		return u.ID, nil
	case loan.KindOfficer:
		staff, err := tx.Staff()
		if err != nil {
			return "", err
		}
		if s := staff[u.ID]; s != nil && s.Branch != "" {
			return s.Branch, nil
		}
		branch := ""
		err = tx.DossiersOfOfficer(u.ID, func(d *loan.Dossier) error {
			for _, f := range d.Loans {
				if l := f.History.At(today); l != nil && branch == "" && l.Officer == u.ID {
					branch = l.Branch
				}
			}
			return nil
		})
		return branch, err
	case loan.KindBorrower:
		d, err := tx.Dossier(u.ID)
		if err != nil || d == nil {
			return "", err
		}
		if d.Borrower != nil && d.Borrower.Branch != "" {
			return d.Borrower.Branch, nil
		}
		for _, f := range d.Loans {
			if l := f.History.At(today); l != nil && l.Branch != "" {
				return l.Branch, nil
			}
		}
	case loan.KindGroup:
		groups, err := tx.Groups()
		if err != nil {
			return "", err
		}
		if g := groups[u.ID]; g != nil && len(g.Members) > 0 {
			return g.Members[0].Branch, nil
		}
	}
	return "", nil
}
