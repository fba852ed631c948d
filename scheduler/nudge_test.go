package scheduler_test

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"tickler/api"
	"tickler/calendar"
	"tickler/store"
)

// outbox gives every message to be sent.
func (b *branch) outbox() []store.Message {
	b.t.Helper()
	var out []store.Message
	err := b.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanOutbox(func(m store.Message) error { out = append(out, m); return nil })
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// nudgedOn gives what a day's scans told: who was reminded, what went up.
func (b *branch) nudgedOn(day calendar.Date) (reminded []string, escalated []api.SimulatedEscalated) {
	b.t.Helper()
	err := b.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanOutboxOn(day, day, func(m store.Message) error {
			switch m.Kind {
			case "remind":
				reminded = append(reminded, m.Obligation)
			case "escalate":
				escalated = append(escalated, api.SimulatedEscalated{ID: m.Obligation, To: m.Role})
			}
			return nil
		})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	slices.Sort(reminded)
	slices.SortFunc(escalated, func(a, b api.SimulatedEscalated) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.To, b.To))
	})
	return reminded, escalated
}
