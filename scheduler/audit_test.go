package scheduler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tickler/api"
	"tickler/scheduler"
	"tickler/store"
)

func (b *branch) records() (out []store.Record) {
	b.t.Helper()
	err := b.st.View(context.Background(), func(tx *store.Tx) error {
		return tx.ScanAudit(1, 0, func(r store.Record) error { out = append(out, r); return nil })
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

func (b *branch) about(what string) []api.Entry {
	b.t.Helper()
	r, err := b.s.AuditAbout(context.Background(), api.AuditAboutRequest{What: what})
	if err != nil {
		b.t.Fatalf("audit of %q: %v", what, err)
	}
	return r.Entries
}

func (b *branch) sound() {
	b.t.Helper()
	proof, err := b.s.AuditVerify(context.Background(), api.AuditVerifyRequest{})
	if err != nil || !proof.Sound || len(proof.Backward) > 0 {
		b.t.Errorf("the trail: %+v, %v", proof, err)
	}
	if err := b.st.Check(context.Background(), func(err error) { b.t.Error(err) }); err != nil {
		b.t.Error(err)
	}
}

// A record is written by its stamp or not at all: nothing else in this package
// appends to the trail.
func TestOnlyAStampWritesTheAudit(t *testing.T) {
	var by []string
	for _, dir := range []string{".", "../web", "../cmd/tickler"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(f, "_test.go") && strings.Contains(string(text), "tx.Audit(") {
				by = append(by, f)
			}
		}
	}
	if !slices.Equal(by, []string{"stamp.go"}) {
		t.Errorf("the audit is written by %v, want stamp.go alone", by)
	}
}

var digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func TestEveryRecordSaysWhoWhenAndUnderWhat(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	b.importFile(friday)
	b.enlist("S100", "S200")
	b.tick()
	record := func(r api.RecordRequest) {
		t.Helper()
		if _, err := b.s.Record(context.Background(), ann, r); err != nil {
			t.Fatal(err)
		}
	}
	record(api.RecordRequest{Event: "notice.collection_sent", Subject: "loan/JJ1", ID: "E1"})
	if _, err := b.s.Withdraw(context.Background(), bob, api.WithdrawRequest{ID: "E1", Reason: "误登"}); err != nil {
		t.Fatal(err)
	}
	b.goTo("2026-11-24")
	b.tick()
	for _, r := range b.records() {
		if r.At.IsZero() || r.Actor == "" && r.OSUser == "" {
			t.Errorf("record %d, %s: at %v by %q, %q", r.Seq, r.Action, r.At, r.Actor, r.OSUser)
		}
		if r.Action == "store.init" && r.Seq == 1 {
			continue // before the store's first day, under no documents yet
		}
		if r.Business.IsZero() || !digest.MatchString(r.Rulebook) || !digest.MatchString(r.Calendar) {
			t.Errorf("record %d, %s: on %v under %q, %q", r.Seq, r.Action, r.Business, r.Rulebook, r.Calendar)
		}
	}
	b.sound()
}

// A change that turns out to be none leaves no record of a day that the store
// does not keep.
func TestNoChangeLeavesNoRecord(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	b.importFile(friday)
	b.enlist("S100", "S200")
	if _, err := b.s.Record(context.Background(), ann, api.RecordRequest{Event: "notice.collection_sent", Subject: "loan/JJ1", ID: "E1"}); err != nil {
		t.Fatal(err)
	}
	before := b.head()
	r, err := b.s.Record(context.Background(), ann, api.RecordRequest{Event: "notice.collection_sent", Subject: "loan/JJ1", ID: "E1", On: date("2026-11-24")})
	if err != nil || !r.Same {
		t.Fatalf("%+v, %v", r, err)
	}
	if b.head() != before {
		t.Errorf("%d records were added", b.head()-before)
	}
	b.tick() // on the 23rd still
	b.sound()
}

func TestARefusedAttemptIsARecord(t *testing.T) {
	ctx := context.Background()
	b := newBranch(t, "2026-11-23")
	no := api.Errorf(api.NotAllowed, "ask the supervisor", "S100 may not waive")
	// Before the first import there is neither a day nor a rulebook.
	if err := b.s.Refused(ctx, ann, "import", "", no); err != no {
		t.Errorf("the answer became %v", err)
	}
	b.importFile(friday)
	const id = "overdue-notice-borrower:loan/JJ1:2026-10-30"
	n := b.head()
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := b.s.Refused(gone, ann, "waive", id, no); err != no {
		t.Errorf("the answer became %v", err)
	}
	for _, other := range []error{nil, errors.New("x"), api.Errorf(api.NotFound, "", "no obligation %q", id)} {
		if err := b.s.Refused(ctx, ann, "waive", id, other); err != other {
			t.Errorf("%v became %v", other, err)
		}
	}
	if b.head() != n+1 {
		t.Fatalf("%d records, want one", b.head()-n)
	}
	rs := b.records()
	r := rs[len(rs)-1]
	if r.Action != scheduler.ActionRefused || r.Subject != id || r.Actor != "S100" || r.OSUser != "ann" || r.Business != date("2026-11-23") ||
		string(r.Detail) != `{"what":"waive","why":"S100 may not waive"}` || !digest.MatchString(r.Rulebook) {
		t.Errorf("the record is %+v, %s", r, r.Detail)
	}
	for _, what := range []string{id, "loan/JJ1", "person/S100", "S100", "user/ann"} {
		es := b.about(what)
		if es[len(es)-1].Seq != r.Seq {
			t.Errorf("the audit of %s ends with %d, want %d", what, es[len(es)-1].Seq, r.Seq)
		}
	}
	// What anybody may send takes little room, and nobody is not the daemon.
	b.s.Refused(ctx, scheduler.Actor{}, "sign", strings.Repeat("借", 1<<20), no)
	rs = b.records()
	r = rs[len(rs)-1]
	if len(r.Subject) > 600 || r.OSUser != "unknown" {
		t.Errorf("a subject of %d bytes, by %q", len(r.Subject), r.OSUser)
	}
	b.sound()
}

// The history of an obligation is read by its index, and is what a walk of the
// whole trail finds.
func TestHistoryIsWhatTheTrailHolds(t *testing.T) {
	ctx := context.Background()
	b := newBranch(t, "2026-11-23")
	b.importFile(friday)
	b.enlist("S100", "S200")
	if _, err := b.s.Record(ctx, ann, api.RecordRequest{Event: "notice.collection_sent", Subject: "loan/JJ1", ID: "E/1:x"}); err != nil {
		t.Fatal(err)
	}
	all := b.records()
	closed := false
	for id, o := range b.all() {
		show, err := b.s.Show(ctx, api.ShowRequest{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		var got, want, about, wantAbout []uint64
		for _, e := range show.History {
			got = append(got, e.Seq)
		}
		for _, r := range all {
			if r.Subject == id {
				wantAbout = append(wantAbout, r.Seq)
			}
			if r.Subject == id || o.ClosedBy != "" && r.Subject == o.ClosedBy {
				want = append(want, r.Seq)
			}
		}
		closed = closed || o.ClosedBy != ""
		if !slices.Equal(got, want) {
			t.Errorf("history of %s: %v, want %v", id, got, want)
		}
		if len(wantAbout) > 0 {
			for _, e := range b.about(o.Short) {
				about = append(about, e.Seq)
			}
			if !slices.Equal(about, wantAbout) {
				t.Errorf("audit of %s: %v, want %v", id, about, wantAbout)
			}
		}
	}
	if !closed {
		t.Error("no obligation was closed")
	}
	if es := b.about("event/E/1:x"); len(es) != 1 || es[0].Action != "event.recorded" {
		t.Errorf("the audit of the event: %+v", es)
	}
	if _, err := b.s.AuditAbout(ctx, api.AuditAboutRequest{What: "nothing"}); api.CodeOf(err) != api.NotFound {
		t.Errorf("the audit of nothing: %v", err)
	}
}

// A store begins with a record: one without any has lost its trail.
func TestAnEmptiedTrailIsFound(t *testing.T) {
	b := newBranch(t, "2026-11-23")
	err := b.st.Backend().Update(context.Background(), func(w store.Writer) error {
		var keys [][]byte
		err := errors.Join(w.Scan("audit", nil, nil, func(k, _ []byte) error { keys = append(keys, bytes.Clone(k)); return nil }),
			w.Delete("meta", []byte("audit")))
		for _, k := range keys {
			err = errors.Join(err, w.Delete("audit", k))
		}
		keys = nil
		err = errors.Join(err, w.Scan("post", []byte("a"), []byte("b"), func(k, _ []byte) error { keys = append(keys, bytes.Clone(k)); return nil }))
		for _, k := range keys {
			err = errors.Join(err, w.Delete("post", k))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	proof, err := b.s.AuditVerify(context.Background(), api.AuditVerifyRequest{})
	if err != nil || proof.Sound || proof.Bad.Seq != 1 || proof.Bad.Fault != string(store.FaultMissing) {
		t.Errorf("%+v, %v", proof, err)
	}
}

// An export, page by page and by day, is the trail.
func TestAnExportIsTheTrail(t *testing.T) {
	ctx := context.Background()
	b := newBranch(t, "2026-11-23")
	b.importFile(friday)
	b.goTo("2026-12-01")
	b.tick()
	for i := range 1100 { // more than a page
		no := api.Errorf(api.NotAllowed, "", "no")
		if i%100 == 0 {
			b.s.Refused(ctx, ann, "sign", "", no)
		}
		err := b.st.Update(ctx, func(tx *store.Tx) error {
			_, err := tx.Audit(store.Record{At: *b.now.Load(), Business: date("2026-12-01"), OSUser: "x", Action: "x"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	export := func(r api.AuditPageRequest) (lines []json.RawMessage, pages int) {
		for {
			page, err := b.s.AuditPage(ctx, r)
			if err != nil {
				t.Fatal(err)
			}
			lines, pages = append(lines, page.Lines...), pages+1
			if page.Next == 0 {
				return lines, pages
			}
			r = api.AuditPageRequest{From: page.Next, To: page.To}
		}
	}
	all, pages := export(api.AuditPageRequest{})
	if uint64(len(all)) != b.head() || pages < 2 {
		t.Fatalf("%d of %d records in %d pages", len(all), b.head(), pages)
	}
	var file bytes.Buffer
	for _, l := range all {
		file.Write(append(bytes.Clone(l), '\n'))
	}
	head, err := b.s.AuditHead(ctx)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := scheduler.ProveExport(&file, api.AuditVerifyRequest{Anchors: []api.Head{*head}})
	if err != nil || !proof.Sound || proof.Head != *head || len(proof.Anchors) != 1 {
		t.Errorf("the export: %+v, %v", proof, err)
	}
	early, _ := export(api.AuditPageRequest{FromDay: date("2026-11-23"), ToDay: date("2026-11-30")})
	late, _ := export(api.AuditPageRequest{FromDay: date("2026-12-01")})
	if 1+len(early)+len(late) != len(all) || len(early) == 0 { // 1: store.init, which has no day
		t.Errorf("%d records by the end of November, %d from December, %d in all", len(early), len(late), len(all))
	}
}
