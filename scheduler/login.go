package scheduler

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tickler/api"
	"tickler/store"
)

const (
	tableSession = "session" // sha256 of the token, in hex -> session; the token itself is kept nowhere
	tableTries   = "tries"   // staff number -> tries

	sessionLasts = 12 * time.Hour
	freeTries    = 3 // wrong passwords before one has to wait
	longestWait  = 15 * time.Minute
)

type session struct {
	Staff string    `json:"staff"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// tries are the wrong passwords since the last right one.
type tries struct {
	Wrong int       `json:"wrong"`
	Last  time.Time `json:"last"`
}

// wait is how long nothing is taken after so many wrong passwords: twice as
// long each time, and never for ever, so that nobody can be locked out.
func (t tries) wait() time.Duration {
	if t.Wrong < freeTries {
		return 0
	}
	return min(time.Second<<min(t.Wrong-freeTries, 20), longestWait)
}

var errLogin = api.Errorf(api.NotAllowed, "", "the staff number or the password is wrong (工号或口令不对)")

// Login gives a token to who knows the password. An unknown number takes as
// long and answers the same as a wrong password.
func (s *Scheduler) Login(ctx context.Context, a Actor, r api.LoginRequest) (*api.LoginReply, error) {
	now := s.moment()
	var u account
	var t tries
	known := false
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error {
		err := tx.Row(tableUser, r.Staff, &u)
		known = err == nil && !u.Disabled
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := tx.Row(tableTries, r.Staff, &t); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, refine(err)
	}
	if left := t.wait() - now.Sub(t.Last); left > 0 {
		return nil, api.Errorf(api.NotAllowed, "", "too many wrong passwords; try again in %s (口令错误次数过多)", left.Round(time.Second))
	}
	if hash := u.Password; !passwordFits(hash, r.Password) || !known {
		if known {
			if err := s.wrong(ctx, r.Staff, now); err != nil {
				return nil, refine(err)
			}
		}
		return nil, s.Refused(ctx, a, "login", "officer/"+r.Staff, errLogin)
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("make a token: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	reply := &api.LoginReply{Token: token, Until: now.Add(sessionLasts), User: api.User{Staff: r.Staff, Name: u.Name, Roles: u.Roles, Branch: u.Branch, Source: "user", Password: true}}
	err = s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		meta, err := tx.Meta()
		if err != nil {
			return err
		}
		if err := tx.DeleteRow(tableTries, r.Staff); err != nil {
			return err
		}
		if err := endSessions(tx, func(x session) bool { return !x.Until.After(now) }); err != nil {
			return err
		}
		if err := tx.PutRow(tableSession, tokenKey(token), session{Staff: r.Staff, Since: now, Until: reply.Until}); err != nil {
			return err
		}
		return underStanding(&meta, Actor{Person: r.Staff, OSUser: a.OSUser}, now).write(tx, "login", "officer/"+r.Staff, nil)
	})
	if err != nil {
		return nil, refine(err)
	}
	return reply, nil
}

// wrong counts a wrong password.
func (s *Scheduler) wrong(ctx context.Context, staff string, now time.Time) error {
	return s.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		var t tries
		if err := tx.Row(tableTries, staff, &t); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return tx.PutRow(tableTries, staff, tries{Wrong: t.Wrong + 1, Last: now})
	})
}

// Session gives the person whose token it is.
func (s *Scheduler) Session(ctx context.Context, token string) (Actor, error) {
	var x session
	err := s.cfg.Store.View(ctx, func(tx *store.Tx) error { return tx.Row(tableSession, tokenKey(token), &x) })
	if errors.Is(err, store.ErrNotFound) || err == nil && !x.Until.After(s.now()) {
		return Actor{}, api.Errorf(api.NotAllowed, "log in again", "the session has ended (登录已失效)")
	}
	return Actor{Person: x.Staff}, refine(err)
}

// Logout ends the session of a token. One that has ended is no error.
func (s *Scheduler) Logout(ctx context.Context, token string) error {
	return refine(s.cfg.Store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteRow(tableSession, tokenKey(token)) }))
}

func tokenKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// endSessions ends those that are meant.
func endSessions(tx *store.Tx, meant func(session) bool) error {
	var ended []string
	err := tx.Rows(tableSession, func(key string, row json.RawMessage) error {
		var x session
		if err := json.Unmarshal(row, &x); err != nil {
			return err
		}
		if meant(x) {
			ended = append(ended, key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range ended {
		if err := tx.DeleteRow(tableSession, key); err != nil {
			return err
		}
	}
	return nil
}
