package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"tickler/api"
	"tickler/calendar"
	"tickler/scheduler"
	"tickler/store"
	"tickler/store/bolt"
	"tickler/web"
)

// noon is a clock that stands at noon of a day.
type noon calendar.Date

func (n noon) Now() time.Time {
	return time.Date(2026, 1, 1, 4, 0, 0, 0, time.UTC).AddDate(0, 0, int(calendar.Date(n)-calendar.MustDate(2026, 1, 1)))
}
func (n noon) Elapsed() time.Duration { return 0 }

// The sample's days are counted from the day of the demo, and it has to fit
// whichever day that is: the first of a month, the last, one before a holiday.
func TestTheDemoRunsOnAnyDay(t *testing.T) {
	ctx := context.Background()
	for day := calendar.MustDate(2026, 11, 24); day < calendar.MustDate(2028, 1, 10); day = day.AddDays(13) {
		path := filepath.Join(t.TempDir(), storeFile)
		if err := bolt.Create(path); err != nil {
			t.Fatal(err)
		}
		db, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		st := store.New(db)
		if err := scheduler.Init(ctx, st, scheduler.InitOptions{GoLive: day.AddDays(-goLiveBefore), Now: noon(day).Now()}); err != nil {
			t.Fatal(err)
		}
		s, err := scheduler.New(scheduler.Config{Store: st, Clock: noon(day)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := importSample(ctx, api.InProcess(web.Handler(s)), calendar.Builtin(), day); err != nil {
			t.Errorf("%s: %v", day, err)
		}
		st.Close()
	}
}
