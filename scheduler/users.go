package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tickler/api"
	"tickler/rules"
	"tickler/store"
)

// User adds a person, or changes what is given of one. What the ledger's row
// says of him is the start.
func (s *Scheduler) User(ctx context.Context, a Actor, r api.UserRequest) (*api.UserReply, error) {
	if err := s.admits(ctx, a, actUsers, "officer/"+r.Staff); err != nil {
		return nil, err
	}
	for _, role := range r.Roles {
		if !slices.Contains(rules.Roles, role) {
			return nil, api.Errorf(api.Usage, "", "unknown role %q; want %s", role, strings.Join(rules.Roles, ", "))
		}
	}
	if r.Staff == "" {
		return nil, api.Errorf(api.Usage, "", "want a staff number")
	}
	if r.OSUser == "root" {
		return nil, api.Errorf(api.Usage, "name the person's own OS user", "root is nobody of the staff (root 不能映射到员工)")
	}
	hash := ""
	if r.Password != "" {
		var err error
		if hash, err = hashPassword(r.Password); err != nil {
			return nil, err
		}
	}
	var reply *api.UserReply
	err := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		p, err := s.who(tx, a)
		if err != nil {
			return err
		}
		if err := p.may(actUsers); err != nil {
			return err
		}
		a.Person = p.Staff
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		view, err := s.sightNow(tx, p)
		if err != nil {
			return err
		}
		all, err := people(tx)
		if err != nil {
			return err
		}
		if x := all[r.Staff]; x != nil && !view.branch(x.Branch) {
			if r.Name+r.Branch == "" && r.Roles == nil { // as of one who is not there
				return api.Errorf(api.NotFound, "\"tickler user list\" shows them; a new one wants --name, --role and --branch", "no user %q", r.Staff)
			}
			return api.Errorf(api.NotAllowed, "", "staff number %q is not %s's to give", r.Staff, p)
		}
		var was account
		known := true
		switch err := tx.Row(tableUser, r.Staff, &was); {
		case errors.Is(err, store.ErrNotFound):
			known = false
			if x := all[r.Staff]; x != nil {
				was = account{Name: x.Name, Roles: x.Roles, Branch: x.Branch, OSUser: x.OSUser}
			}
			was.Since = s.moment()
		case err != nil:
			return err
		}
		is := was
		for _, f := range []struct {
			to  *string
			new string
		}{{&is.Name, r.Name}, {&is.Branch, r.Branch}, {&is.OSUser, r.OSUser}, {&is.Password, hash}} {
			if f.new != "" {
				*f.to = f.new
			}
		}
		if r.Roles != nil {
			is.Roles = r.Roles
		}
		is.Disabled = (is.Disabled || r.Disable) && !r.Enable
		switch {
		case !known && all[r.Staff] == nil && r.Name+r.Branch == "" && r.Roles == nil:
			return api.Errorf(api.NotFound, "\"tickler user list\" shows them; a new one wants --name, --role and --branch", "no user %q", r.Staff)
		case p.Staff != "" && p.Staff == r.Staff && (!slices.Equal(is.Roles, was.Roles) || is.Branch != was.Branch):
			return api.Errorf(api.NotAllowed, "another one of ops can, or root", "nobody changes his own role or branch (不得修改本人的岗位或机构)")
		case slices.Contains(is.Roles, "ops") && slices.ContainsFunc(is.Roles, func(r string) bool { return slices.Contains(performers, r) }):
			return api.Errorf(api.Usage, "give the duties to another person", "who is ops performs no duties: %v (运维不得兼任业务岗位)", is.Roles)
		case !known && !r.Disable && len(is.Roles) == 0:
			return api.Errorf(api.Usage, "add --role officer", "user %q has no role", r.Staff)
		case !known && !r.Disable && is.Name == "":
			return api.Errorf(api.Usage, "add --name", "user %q has no name", r.Staff)
		case !view.branch(is.Branch):
			return api.Errorf(api.NotAllowed, "", "user %q would be of branch %q, which is not %s's", r.Staff, is.Branch, p)
		}
		for _, id := range sortedKeys(all) {
			x := all[id]
			if id != r.Staff && is.OSUser != "" && x.OSUser == is.OSUser && !x.Disabled && !is.Disabled {
				if !view.branch(x.Branch) {
					id = "somebody else"
				}
				return api.Errorf(api.Usage, "one OS user is one person", "OS user %q is %s's already", is.OSUser, id)
			}
		}
		reply = &api.UserReply{New: !known, Changed: !known || fmt.Sprint(was) != fmt.Sprint(is)}
		if reply.Changed {
			if hash != "" || is.Disabled {
				if err := endSessions(tx, func(x session) bool { return x.Staff == r.Staff }); err != nil {
					return err
				}
			}
			if err := tx.PutRow(tableUser, r.Staff, is); err != nil {
				return err
			}
			// The password's hash is nobody's business, not even the audit's.
			told := map[string]any{"name": is.Name, "roles": is.Roles, "branch": is.Branch, "os_user": is.OSUser, "disabled": is.Disabled, "password_set": hash != ""}
			if err := underStanding(&meta, a, s.moment()).write(tx, "user.changed", "officer/"+r.Staff, told); err != nil {
				return err
			}
		}
		reply.User = api.User{Staff: r.Staff, Name: is.Name, Roles: is.Roles, Branch: is.Branch, OSUser: is.OSUser, Disabled: is.Disabled, Source: "user", Password: is.Password != ""}
		return nil
	})
	if err != nil {
		return nil, s.refused(ctx, a, actUsers, "officer/"+r.Staff, refine(err))
	}
	return reply, nil
}

// Users lists the people whom the asker sees, and who stands in for whom.
func (s *Scheduler) Users(ctx context.Context) (*api.UsersReply, error) {
	reply := &api.UsersReply{Users: []api.User{}, Deputies: []api.DeputyForm{}}
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		view, err := s.look(ctx, tx)
		if err != nil {
			return err
		}
		all, err := people(tx)
		if err != nil {
			return err
		}
		for _, id := range sortedKeys(all) {
			p := all[id]
			if !view.all && !view.branch(p.Branch) && id != view.staff {
				continue
			}
			roles := append([]string{}, p.Roles...)
			reply.Users = append(reply.Users, api.User{Staff: id, Name: p.Name, Roles: roles, Branch: p.Branch, OSUser: p.OSUser, Disabled: p.Disabled, Source: p.Source, Password: p.Password})
		}
		return tx.Rows(tableDeputy, func(_ string, row json.RawMessage) error {
			var d deputy
			if err := json.Unmarshal(row, &d); err != nil {
				return fmt.Errorf("deputies: %w", err)
			}
			if x := all[d.For]; view.all || x != nil && view.branch(x.Branch) || d.For == view.staff || d.By == view.staff {
				reply.Deputies = append(reply.Deputies, api.DeputyForm(d))
			}
			return nil
		})
	})
	if err != nil {
		return nil, s.refused(ctx, actorOf(ctx), actRead, "", refine(err))
	}
	return reply, nil
}

// Deputy lets one person stand in for another from one day to another, both
// included, or ends that. A person may name his own deputy, and that of those
// below him; nobody makes himself one.
func (s *Scheduler) Deputy(ctx context.Context, a Actor, r api.DeputyRequest) (*api.DeputyReply, error) {
	if r.For == "" || r.By == "" && !r.End {
		return nil, api.Errorf(api.Usage, "", "want for whom, and by whom")
	}
	if r.For == r.By {
		return nil, api.Errorf(api.Usage, "", "%s cannot stand in for himself", r.For)
	}
	if !r.End && (r.From.IsZero() || r.To.IsZero() || r.To < r.From) {
		return nil, api.Errorf(api.Usage, "add --from and --to", "a deputy stands in from one day to another")
	}
	reply := &api.DeputyReply{Deputies: []api.DeputyForm{}}
	err := s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		reply.Deputies = reply.Deputies[:0]
		p, err := s.who(tx, a)
		if err != nil {
			return err
		}
		if p.Staff != r.For || p.Staff == "" {
			if err := p.may(actDeputy); err != nil {
				return err
			}
		}
		a.Person = p.Staff
		view, err := s.sightNow(tx, p)
		if err != nil {
			return err
		}
		whom, err := knownStaff(tx, view, r.For)
		if err != nil {
			return err
		}
		if r.By != "" {
			find := worker
			if r.End {
				find = knownStaff
			}
			if _, err := find(tx, view, r.By); err != nil {
				return err
			}
		}
		switch {
		case p.Staff == "" || p.Staff == r.For || p.is("ops"):
		case p.Staff == r.By && !r.End:
			return api.Errorf(api.NotAllowed, "he names his deputy himself, or ops does", "%s cannot make himself the deputy of %s (不得自任代理人)", p.Staff, r.For)
		case !view.home(whom.Branch) || rank(whom) >= rank(p):
			return api.Errorf(api.NotAllowed, "he names his deputy himself, or ops does", "%s cannot name the deputy of %s", p, r.For)
		}
		if !r.End && !whom.performs() {
			return api.Errorf(api.Usage, "", "%s performs no duties that somebody could do for him", whom)
		}
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		action := "deputy.set"
		if r.End {
			action = "deputy.ended"
			var keys []string
			err := tx.Rows(tableDeputy, func(key string, row json.RawMessage) error {
				var d deputy
				if err := json.Unmarshal(row, &d); err != nil {
					return err
				}
				if d.For == r.For && (r.By == "" || d.By == r.By) {
					keys = append(keys, key)
				}
				return nil
			})
			if err != nil {
				return err
			}
			if keys == nil {
				return api.Errorf(api.NotFound, "", "nobody stands in for %s", r.For)
			}
			for _, k := range keys {
				if err := tx.DeleteRow(tableDeputy, k); err != nil {
					return err
				}
			}
		} else if err := tx.PutRow(tableDeputy, r.For+"/"+r.By+"/"+r.From.String(), deputy(r.DeputyForm)); err != nil {
			return err
		}
		if err := underStanding(&meta, a, s.moment()).write(tx, action, "officer/"+r.For, r); err != nil {
			return err
		}
		return tx.Rows(tableDeputy, func(_ string, row json.RawMessage) error {
			var d deputy
			if err := json.Unmarshal(row, &d); err != nil {
				return err
			}
			if d.For == r.For {
				reply.Deputies = append(reply.Deputies, api.DeputyForm(d))
			}
			return nil
		})
	})
	if err != nil {
		return nil, s.refused(ctx, a, actDeputy, "officer/"+r.For, refine(err))
	}
	return reply, nil
}
