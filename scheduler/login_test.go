package scheduler_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tickler/api"
	"tickler/scheduler"
	"tickler/store"
)

func TestLogin(t *testing.T) {
	ctx := context.Background()
	b := newBranch(t, "2026-11-23")
	b.importFile(friday)
	b.enlist("S001", "S002")
	ops := scheduler.Actor{System: true}
	set := func(r api.UserRequest) {
		t.Helper()
		if _, err := b.s.User(ctx, ops, r); err != nil {
			t.Fatal(err)
		}
	}
	const password = "正确的口令 2026!"
	set(api.UserRequest{Staff: "S001", Password: password})
	login := func(staff, password string) (*api.LoginReply, error) {
		return b.s.Login(ctx, scheduler.Actor{OSUser: "web"}, api.LoginRequest{Staff: staff, Password: password})
	}
	later := func(d time.Duration) { now := b.now.Load().Add(d); b.now.Store(&now) }

	r, err := login("S001", password)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := b.s.Session(ctx, r.Token); err != nil || a.Person != "S001" {
		t.Errorf("session: %+v, %v", a, err)
	}
	// Neither the token nor the password is anywhere in the store.
	b.st.View(ctx, func(tx *store.Tx) error {
		for _, table := range []string{"session", "user", "tries"} {
			tx.Rows(table, func(id string, row json.RawMessage) error {
				if strings.Contains(id+string(row), r.Token) || strings.Contains(string(row), password) {
					t.Errorf("%s %s tells a secret", table, id)
				}
				return nil
			})
		}
		return nil
	})

	// Wrong passwords wait longer each time, and the right one is taken after.
	var said []string
	for _, who := range []string{"S001", "S002", "S999"} {
		_, err := login(who, "falsch falsch")
		if api.CodeOf(err) != api.NotAllowed {
			t.Errorf("%s: %v", who, err)
		}
		said = append(said, err.Error())
	}
	if said[0] != said[1] || said[1] != said[2] {
		t.Errorf("who has no password, or is nobody, answers otherwise: %q", said)
	}
	login("S001", "falsch falsch")
	login("S001", "falsch falsch")
	if _, err := login("S001", password); err == nil || !strings.Contains(err.Error(), "try again") {
		t.Errorf("after three wrong ones: %v", err)
	}
	later(2 * time.Second)
	if _, err := login("S001", "falsch falsch"); err == nil || strings.Contains(err.Error(), "try again") {
		t.Errorf("after the wait: %v", err)
	}
	later(time.Second)
	if _, err := login("S001", password); err == nil {
		t.Error("the wait does not grow")
	}
	later(2 * time.Second)
	if _, err := login("S001", password); err != nil {
		t.Errorf("the right one after the wait: %v", err)
	}

	// A session ends by time, by leaving, by a new password, and with its user.
	later(13 * time.Hour)
	if _, err := b.s.Session(ctx, r.Token); api.CodeOf(err) != api.NotAllowed {
		t.Errorf("13 hours later: %v", err)
	}
	fresh := func() string {
		t.Helper()
		r, err := login("S001", password)
		if err != nil {
			t.Fatal(err)
		}
		return r.Token
	}
	token := fresh()
	if err := b.s.Logout(ctx, token); err != nil {
		t.Error(err)
	}
	if _, err := b.s.Session(ctx, token); err == nil {
		t.Error("it goes on after leaving")
	}
	token = fresh()
	set(api.UserRequest{Staff: "S001", Password: password + "x"})
	if _, err := b.s.Session(ctx, token); err == nil {
		t.Error("it goes on under a new password")
	}
	set(api.UserRequest{Staff: "S001", Disable: true})
	if _, err := login("S001", password+"x"); api.CodeOf(err) != api.NotAllowed {
		t.Errorf("disabled: %v", err)
	}
	if _, err := b.s.User(ctx, ops, api.UserRequest{Staff: "S002", Password: "kurz"}); api.CodeOf(err) != api.Usage {
		t.Errorf("a short password: %v", err)
	}
	b.sound()
}
