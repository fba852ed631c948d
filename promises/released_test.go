package promises

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var record = flag.Bool("promises.record", false, "make the store of the present schema in testdata anew")

// What a store of testdata/ is looked at with. None of it depends on the day.
var released = [][]string{
	{"audit", "export"},
	{"user", "list", "-o", "json"},
	{"rules", "history", "-o", "json"},
}

// listing is a store in words: its duties, and what the looks say.
func (b *branch) listing() string {
	b.t.Helper()
	var s strings.Builder
	for _, d := range b.duties() {
		line, err := json.Marshal(d)
		must(b.t, err)
		s.Write(append(line, '\n'))
	}
	for _, look := range released {
		s.WriteString("$ " + strings.Join(look, " ") + "\n" + b.must(look...))
	}
	// The outbox shows duties as they are today: of it the messages alone.
	var messages []string
	for line := range strings.Lines(b.must("outbox", "list", "-o", "json")) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, `"message":`) {
			messages = append(messages, line)
		}
	}
	slices.Sort(messages)
	return s.String() + strings.Join(messages, "\n") + "\n"
}

// Every schema that was ever written is read whole. A test that fails here is a
// form of record that changed without a migration: before the first release of a
// schema its store is made anew,
//
//	go test ./promises -run Promise12EveryReleased -args -promises.record
//
// and after it never again.
func TestPromise12EveryReleasedStoreIsRead(t *testing.T) {
	t.Parallel()
	if *record {
		recordStore(t, filepath.Join("testdata", "schema1"))
	}
	dirs, err := filepath.Glob(filepath.Join("testdata", "schema*"))
	must(t, err)
	if len(dirs) == 0 {
		t.Fatal("no store is kept")
	}
	for _, dir := range dirs {
		b := unpacked(t, dir)
		want, err := os.ReadFile(filepath.Join(dir, "listing.golden"))
		must(t, err)
		if got := b.listing(); got != string(want) {
			t.Errorf("%s is read as\n%.3000s\nand was\n%.3000s", dir, difference(got, string(want)), difference(string(want), got))
		}
		b.sound()
		b.must("tick") // and it goes on from there
		b.sound()
	}
}

// difference gives the first lines of a that are not in b.
func difference(a, b string) string {
	var s strings.Builder
	for line := range strings.Lines(a) {
		if !strings.Contains(b, line) {
			s.WriteString(line)
		}
	}
	return s.String()
}

// unpacked gives a branch with a store of testdata.
func unpacked(t *testing.T, dir string) *branch {
	t.Helper()
	b := newBranch(t)
	f, err := os.Open(filepath.Join(dir, "tickler.db.gz"))
	must(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	must(t, err)
	text, err := io.ReadAll(z)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(b.data, "tickler.db"), text, 0o600))
	book, err := os.ReadFile(filepath.Join(dir, "rules.yaml"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(b.data, "rules.yaml"), book, 0o600))
	return b
}

// recordStore makes a store that holds a record of every kind: staff, loans,
// guarantors, a second file, events, one withdrawn, duties submitted, signed,
// returned, waived, snoozed and given to another, a deputy, messages, a second
// rulebook.
func recordStore(t *testing.T, dir string) {
	needRoot(t)
	b := peopled(t, 8)
	b.must("user", "add", "S001", "--os-user", "nobody")
	b.must("user", "add", "S010", "--os-user", "daemon")
	b.must("user", "add", "S020", "--name", "戊", "--role", "deputy_president", "--branch", "B01", "--os-user", "bin")
	b.must("tick")
	paper := b.file("paper.txt", "签收\n")
	socket := filepath.Join(b.dir, "s", "tickler.sock")
	b.env = []string{"TICKLER_SOCKET=" + socket}
	d := b.start("--socket", socket)
	d.socket = socket
	until(t, 20e9, "the daemon answers", d.healthy)
	officer, supervisor, vice := *b, *b, *b
	officer.as, supervisor.as, vice.as = "nobody", "daemon", "bin"
	var reports, notices, overdue []duty
	for _, x := range b.duties() {
		if x.State != "raised" || x.Owner != "S001" {
			continue
		}
		switch x.Rule {
		case "monthly-report":
			reports = append(reports, x)
		case "maturity-notice":
			notices = append(notices, x)
		case "overdue-notice":
			overdue = append(overdue, x)
		}
	}
	if len(reports) < 3 || len(notices) < 1 || len(overdue) < 2 {
		t.Fatalf("the ledger has too little: %d %d %d", len(reports), len(notices), len(overdue))
	}
	officer.must("submit", reports[0].ID, "--file", paper, "--note", "已完成")
	supervisor.must("sign", reports[0].ID)
	officer.must("submit", reports[1].ID)
	supervisor.must("return", reports[1].ID, "--reason", "照片不清")
	officer.must("submit", reports[2].ID)
	officer.must("waive", overdue[0].ID, "--reason", "借款人已进入破产程序")
	vice.must("waive", overdue[0].ID, "--reason", "同意")
	supervisor.must("reassign", overdue[1].ID, "--to", "S002")
	officer.must("deputy", "S001", "S002", "--from", today().AddDays(1).String(), "--to", today().AddDays(9).String())
	b.must("record", "notice.maturity_sent", "loan/"+notices[0].Subject.ID, "--id", "E1")
	b.must("record", "worklog.submitted", "borrower/C000001", "--id", "E2")
	b.must("withdraw", "E2", "--reason", "记错")
	d.stop()
	b.env = nil
	b.must("import", b.file("later.csv", ledger(9, today(), 5)))
	b.must("rules", "activate", b.file("second.yaml", strings.Replace(rulebook, "due: 2 workdays after event.date", "due: 3 workdays after event.date", 1)))
	b.must("tick")
	b.sound()

	must(t, os.MkdirAll(dir, 0o755))
	book, err := os.ReadFile(filepath.Join(b.data, "rules.yaml"))
	must(t, err)
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	must(t, err)
	_, err = z.Write(b.database())
	must(t, err)
	must(t, z.Close())
	must(t, os.WriteFile(filepath.Join(dir, "tickler.db.gz"), packed.Bytes(), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "rules.yaml"), book, 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "listing.golden"), []byte(b.listing()), 0o644))
}
