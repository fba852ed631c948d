package promises

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// polled is how long a daemon may take to see what became of a file.
const polled = 15 * time.Second

// A way is how a file gets to its place.
type way struct {
	name string
	put  func(t *testing.T, path string, text []byte)
}

var ways = []way{
	{"in place", func(t *testing.T, path string, text []byte) { must(t, os.WriteFile(path, text, 0o600)) }},
	{"by rename", func(t *testing.T, path string, text []byte) {
		must(t, os.WriteFile(path+".new", text, 0o600))
		must(t, os.Rename(path+".new", path))
	}},
	{"by symlink", func(t *testing.T, path string, text []byte) { // as a mounted volume swaps its files
		to := filepath.Join(t.TempDir(), "v")
		must(t, os.WriteFile(to, text, 0o600))
		must(t, os.Symlink(to, path+".new"))
		must(t, os.Rename(path+".new", path))
	}},
}

// badBooks are rulebooks that must not count. Each is made from the good one.
func badBooks() map[string]string {
	bad := map[string]string{
		"empty":                  "",
		"blank":                  "\n \n",
		"only comments":          "# 规则簿\n",
		"NUL":                    rulebook + "\x00",
		"NUL within":             strings.Replace(rulebook, "月度", "月\x00度", 1),
		"binary":                 "\x7fELF\x02\x01\x01\x00\x00\xff\xfe\x80",
		"GBK":                    "version: 1\n# \xb9\xe6\xd4\xf2\n" + rulebook,
		"UTF-16":                 "\xff\xfev\x00e\x00r\x00",
		"2 MiB":                  rulebook + strings.Repeat("# 填充\n", 2<<20/9),
		"a second document":      rulebook + "---\nversion: 1\n",
		"an end and more":        rulebook + "...\n---\n{}\n",
		"a list":                 "- version: 1\n- rules: []\n",
		"a word":                 "version\n",
		"JSON cut":               `{"version": 1, "rules": [{"id": "a"`,
		"HTML":                   "<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n",
		"merge conflict":         strings.Replace(rulebook, "- id: overdue-notice", "<<<<<<< HEAD\n- id: overdue-notice", 1),
		"rule twice":             rulebook + rulebook[strings.Index(rulebook, "- id: worklog"):],
		"rules twice":            rulebook + "rules: []\n",
		"no rules":               rulebook[:strings.Index(rulebook, "rules:")],
		"rules are null":         rulebook[:strings.Index(rulebook, "rules:")] + "rules:\n",
		"rules are empty":        rulebook[:strings.Index(rulebook, "rules:")] + "rules: []\n",
		"a misspelt literal":     strings.Replace(rulebook, "when: loan.unpaid", `when: loan.class == "nromal"`, 1),
		"a condition of a text":  strings.Replace(rulebook, "when: loan.unpaid", "when: loan.class", 1),
		"an unknown fact":        strings.Replace(rulebook, "loan.unpaid", "loan.unpayed", 1),
		"a condition that opens": strings.Replace(rulebook, "loan.unpaid", "(loan.unpaid", 1),
		"a full-width condition": strings.Replace(rulebook, "loan.unpaid", "loan.balance ＞ 0", 1),
		"one equals sign":        strings.Replace(rulebook, "loan.unpaid", `loan.class = "normal"`, 1),
		"the clock":              strings.Replace(rulebook, "loan.unpaid", "now() > loan.maturity", 1),
		"a tab":                  strings.Replace(rulebook, "  name: 催收", "\tname: 催收", 1),
		"an anchor":              strings.Replace(rulebook, "by: officer", "by: &who officer", 1),
		"an alias":               strings.Replace(rulebook, "by: officer", "by: *who", 1),
		"a tag":                  strings.Replace(rulebook, "by: officer", "by: !!str officer", 1),
		"a merge key":            strings.Replace(rulebook, "  by: officer", "  <<: {by: officer}", 1),
		"an alias bomb":          "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]\n",
		"deep":                   strings.Repeat("[", 20000),
	}
	for name, edit := range map[string][2]string{
		"version 2":            {"version: 1", "version: 2"},
		"version 1.0":          {"version: 1", "version: 1.0"},
		"version 01":           {"version: 1", "version: 01"},
		"no version":           {"version: 1\n", ""},
		"an unknown zone":      {"Asia/Shanghai", "Asia/Shangai"},
		"an unknown set":       {"[manual]", "[manuel]"},
		"an unknown key":       {"closes_on:", "close_on:"},
		"an unknown top key":   {"rules:", "rulez:"},
		"key in capitals":      {"  for: loan", "  For: loan"},
		"an unknown unit":      {"1 month before", "1 mnth before"},
		"an unknown day":       {"loan.maturity", "loan.matures"},
		"an unknown event":     {"notice.maturity_sent", "notice.maturity_snet"},
		"an unknown period":    {"every: month", "every: mounth"},
		"an unknown role":      {"by: supervisor", "by: superviser"},
		"an unknown subject":   {"for: loan", "for: lone"},
		"an unknown party":     {"each: guarantor", "each: garantor"},
		"an octal":             {"due: 10 workdays", "due: 010 workdays"},
		"a fraction":           {"due: 10 workdays", "due: 1.5 workdays"},
		"an exponent":          {"due: 10 workdays", "due: 1e2 workdays"},
		"a null":               {"due: 10 workdays after loan.maturity", "due:"},
		"a tilde":              {"due: 10 workdays after loan.maturity", "due: ~"},
		"a negative":           {"due: 10 workdays", "due: -10 workdays"},
		"a huge number":        {"due: 10 workdays", "due: 99999999999 workdays"},
		"no number":            {"due: 10 workdays", "due: workdays"},
		"a bare number":        {"due: 10 workdays after loan.maturity", "due: 10"},
		"full-width digits":    {"due: 10 workdays", "due: １０ workdays"},
		"full-width colon":     {"due: 10", "due： 10"},
		"full-width comma":     {"sign: [supervisor]", "sign: [supervisor，president]"},
		"full-width brackets":  {"sign: [supervisor]", "sign: 【supervisor】"},
		"an ideographic space": {"  by: supervisor", "\u3000by: supervisor"},
		"Chinese unit":         {"2 workdays after event", "2 工作日 after event"},
		"indent":               {"  name: 催收", "   name: 催收"},
		"dedent":               {"  name: 催收", "name: 催收"},
		"no space":             {"by: supervisor", "by:supervisor"},
		"an open quote":        {"name: 催收", "name: \"催收"},
		"an open bracket":      {"[supervisor]", "[supervisor"},
		"a list for a text":    {"name: 催收", "name: [催收]"},
		"a map for a list":     {"sign: [supervisor]", "sign: {by: supervisor}"},
		"a key twice":          {"  name: 催收", "  name: 催收\n  name: 催收"},
		"no id":                {"- id: overdue-notice\n  set", "- set"},
		"no due":               {"  due: 2 workdays after event.date\n", ""},
		"id with a space":      {"id: overdue-notice", "id: overdue notice"},
		"id is a number":       {"id: overdue-notice", "id: 42"},
		"a carriage return":    {"  name: 催收\n", "  name: 催收\r  by: officer\r"},
		"a direction missing":  {"10 workdays after loan.maturity", "10 workdays loan.maturity"},
		"both directions":      {"1 month before loan.maturity", "1 month before after loan.maturity"},
		"a bad date":           {"2 workdays after event.date", "2 workdays after 2026-02-30"},
		"each of a period":     {"every: month", "every: month\n  each: guarantors"},
		"on and every":         {"  on: worklog.submitted", "  on: worklog.submitted\n  every: month"},
	} {
		text := strings.Replace(rulebook, edit[0], edit[1], 1)
		if text == rulebook {
			panic("the rulebook has no " + edit[0])
		}
		bad[name] = text
	}
	// Cut off within a rule, and at a rune's half.
	for i, rule := range []string{"- id: overdue", "- id: monthly", "- id: worklog"} {
		at := strings.Index(rulebook, rule)
		due := at + strings.Index(rulebook[at:], "due:")
		for j, end := range []int{at + 4, at + 8, at + strings.Index(rulebook[at:], "name:") + 9, due + 3, due + 8} {
			bad[fmt.Sprintf("cut %d.%d", i, j)] = rulebook[:end]
		}
	}
	return bad
}

// bankDays is a good file of a bank's own days.
const bankDays = `version: 1
overlay:
- source: 行发〔2026〕1号
  issued: 2026-01-05
  off: [2026-12-29 行庆]
`

// badDays are calendar files that must not count.
func badDays() map[string]string {
	notice := func(days string) string {
		return "version: 1\nnotices:\n- number: 国办发明电〔2026〕99号\n  issued: 2026-11-20\n  year: 2027\n" + days
	}
	bad := map[string]string{
		"empty":                 "",
		"NUL":                   bankDays + "\x00",
		"2 MiB":                 bankDays + strings.Repeat("# 填充\n", 2<<20/9),
		"GBK":                   "# \xb9\xe6\n" + bankDays,
		"a second document":     bankDays + "---\nversion: 1\n",
		"days twice":            notice("  off: [2027-01-01..2027-01-03 元旦, 2027-01-03 元旦]\n"),
		"off and worked":        notice("  off: [2027-01-01 元旦]\n  work: [2027-01-01 元旦]\n"),
		"make-up on a weekday":  notice("  off: [2027-01-01 元旦]\n  work: [2027-01-06 元旦]\n"),
		"too few working days":  notice("  off: [2027-01-01..2027-01-31 元旦, 2027-03-01..2027-03-31 春节]\n"),
		"too many working days": notice("  off: [2027-01-01 元旦]\n  work: [2027-01-02 元旦, 2027-01-03 元旦, 2027-01-09 元旦, 2027-01-10 元旦, 2027-01-16 元旦, 2027-01-17 元旦, 2027-01-23 元旦, 2027-01-24 元旦, 2027-01-30 元旦, 2027-01-31 元旦, 2027-03-06 元旦, 2027-03-07 元旦]\n"),
		"of another year":       notice("  off: [2029-01-01 元旦]\n"),
		"a day that is none":    notice("  off: [2027-02-29 元旦]\n"),
		"back to front":         notice("  off: [2027-01-03..2027-01-01 元旦]\n"),
		"no name":               notice("  off: [2027-01-01]\n"),
		"no day":                notice(""),
		"a dash for dots":       notice("  off: [2027-01-01至2027-01-03 元旦]\n"),
		"a full-width comma":    notice("  off: [2027-01-01 元旦，2027-04-05 清明节]\n"),
		"an unknown key":        notice("  off: [2027-01-01 元旦]\n  works: [2027-01-02 元旦]\n"),
		"a tab":                 notice("\toff: [2027-01-01 元旦]\n"),
		"an anchor":             notice("  off: &a [2027-01-01 元旦]\n"),
		"a tag":                 notice("  off: !!seq [2027-01-01 元旦]\n"),
		"cut in a day":          notice("  off: [2027-01-01 元旦, 2027-04-0"),
		"cut in a name":         bankDays[:len(bankDays)-3],
	}
	for name, edit := range map[string][2]string{
		"version 2":      {"version: 1", "version: 2"},
		"no version":     {"version: 1\n", ""},
		"no source":      {"- source: 行发〔2026〕1号\n  issued", "- issued"},
		"issued null":    {"issued: 2026-01-05", "issued:"},
		"issued wrongly": {"2026-01-05", "2026-1-5"},
		"a wrong key":    {"overlay:", "overlays:"},
		"a list":         {"off: [2026-12-29 行庆]", "off: 2026-12-29 行庆"},
	} {
		bad[name] = strings.Replace(bankDays, edit[0], edit[1], 1)
	}
	return bad
}

// A document is one of the two that a branch can change as it runs.
type document struct {
	name string
	path func(b *branch) string
	good string
	bad  map[string]string
	// changed is the good one with a change that matters.
	changed string
	digest  func(s status) string
}

var documents = []document{
	{"rulebook", func(b *branch) string { return filepath.Join(b.data, "rules.yaml") }, rulebook, badBooks(),
		strings.Replace(rulebook, "due: 2 workdays after event.date", "due: 3 workdays after event.date", 1),
		func(s status) string { return s.Rulebook.Digest }},
	{"calendar", func(b *branch) string { return filepath.Join(b.data, "calendar", "bank.yaml") }, bankDays, badDays(),
		strings.Replace(bankDays, "2026-12-29", "2026-12-30", 1),
		func(s status) string { return s.Calendar.Digest }},
}

// stays puts a bad file in place and gives what is wrong with what follows. look
// has the daemon look at it; was is the status before.
func (doc *document) stays(b *branch, w way, name, text string, look func(), was status) (wrong []string) {
	b.t.Helper()
	say := func(format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%s %q %s: ", doc.name, name, w.name)+fmt.Sprintf(format, args...))
	}
	path := doc.path(b)
	w.put(b.t, path, []byte(text))
	look()
	s := b.status()
	if doc.digest(s) != doc.digest(was) {
		say("it is in force")
	}
	if s.Audit != was.Audit { // whatever changes has a record
		say("something changed: %d records, now %d", was.Audit.Seq, s.Audit.Seq)
	}
	if s.Healthy || !slices.ContainsFunc(s.Problems, func(p string) bool { return namesLine(path, text).MatchString(p) }) {
		say("status names no line: %q", s.Problems)
	}
	return wrong
}

// list is all the duties, as text.
func (b *branch) list() string { return b.must("upcoming", "--all", "-o", "json") }

// namesLine matches a problem that says where it is: the file and the line; of
// a file that has no line, the file alone.
func namesLine(path, text string) *regexp.Regexp {
	if strings.TrimSpace(text) == "" {
		return regexp.MustCompile(regexp.QuoteMeta(path) + `\b`)
	}
	return regexp.MustCompile(regexp.QuoteMeta(path) + `:[1-9][0-9]*(:[1-9][0-9]*)?: `)
}

// A bad file changes nothing, however it comes, and says what is wrong; the
// good one behind it counts, once.
func TestPromise05BadFiles(t *testing.T) {
	t.Parallel()
	for _, doc := range documents {
		t.Run(doc.name, func(t *testing.T) {
			t.Parallel()
			b := newBranch(t)
			ways[0].put(t, doc.path(b), []byte(doc.good))
			b.must("import", b.file("staff.csv", staff), b.file("loans.csv", ledger(20, today(), 0)))
			d := b.serve()
			d.scanned(t)
			was, duties := b.status(), b.list()
			look := func() { b.run("tick") } // as the daemon does each time it wakes
			n := 0
			for i, name := range sorted(doc.bad) {
				for j, w := range ways {
					if !*full && (i%2 == 1 || j != i/2%len(ways)) { // half of them, each in one way
						continue
					}
					report(t, "", doc.stays(b, w, name, doc.bad[name], look, was))
					n++
				}
			}
			if b.list() != duties {
				t.Error("the duties changed")
			}
			t.Logf("%d bad files of %d kinds", n, len(doc.bad))
			for _, w := range ways {
				doc.counts(b, d, w, look)
			}
			d.stop()
			b.sound()
		})
	}
}

func sorted(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// counts puts the good file back, which is no change, and then one that
// matters, which comes into force once.
func (doc *document) counts(b *branch, d *daemon, w way, look func()) {
	b.t.Helper()
	before, was := b.records()[doc.name+".activated"], doc.digest(b.status())
	for i, text := range []string{doc.good, doc.changed, doc.good} {
		w.put(b.t, doc.path(b), []byte(text))
		for range 3 {
			look()
		}
		s := b.status()
		if mentions(s.Problems, doc.path(b)) || (i == 1) == (doc.digest(s) == was) {
			b.t.Errorf("%s, good again %s, step %d: digest %s, it was %s; %q", doc.name, w.name, i, doc.digest(s), was, s.Problems)
		}
		if n := b.records()[doc.name+".activated"] - before; n != i {
			b.t.Errorf("%s, good again %s, step %d: %d activations", doc.name, w.name, i, n)
		}
	}
}

// The daemon sees a file by itself, without anybody asking.
func TestPromise05BadFileIsSeenByItself(t *testing.T) {
	t.Parallel()
	for i, doc := range documents {
		t.Run(doc.name, func(t *testing.T) {
			t.Parallel()
			b := newBranch(t)
			ways[0].put(t, doc.path(b), []byte(doc.good))
			b.must("import", b.file("staff.csv", staff), b.file("loans.csv", ledger(20, today(), 0)))
			d := b.serve()
			d.scanned(t)
			was, duties := b.status(), b.list()
			for j, name := range []string{"NUL", "no version"}[:times(1, 2)] {
				if b.list() != duties {
					t.Error("the duties changed")
				}
				began := time.Now()
				report(t, "", doc.stays(b, ways[(i+j)%len(ways)], name, doc.bad[name], func() {
					for len(b.status().Problems) == 0 && time.Since(began) < polled {
						time.Sleep(100 * time.Millisecond)
					}
				}, was))
				if taken := d.metric("tickler_" + doc.name + "_last_reload_successful"); taken != 0 {
					t.Errorf("%s: the metric of %s says %v", name, doc.name, taken)
				}
				ways[j].put(t, doc.path(b), []byte(doc.good)) // which writes no record: it never was out of force
				for began = time.Now(); !b.status().Healthy; time.Sleep(100 * time.Millisecond) {
					if time.Since(began) > polled {
						t.Fatalf("the good file is not seen: %q", b.status().Problems)
					}
				}
			}
		})
	}
}

// halves writes a rulebook in two parts, some time apart, while the daemon looks:
// the first part would be a rulebook by itself, of fewer rules. It gives what of
// it came into force.
func halves(b *branch, r *rand.Rand, n int) (wrong []string) {
	b.t.Helper()
	path := documents[0].path(b)
	cut := strings.Index(rulebook, "- id: monthly-report")
	head := b.status().Audit
	for i := range n {
		asked := make(chan bool)
		go func() { b.run("tick"); close(asked) }()
		time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
		f, err := os.Create(path)
		must(b.t, err)
		began := time.Now()
		_, err = f.WriteString(rulebook[:cut])
		must(b.t, err)
		time.Sleep(30 * time.Millisecond)
		_, err = f.WriteString(rulebook[cut:])
		must(b.t, err)
		slow := time.Since(began) > settles*3/4 // this machine was: what the daemon saw stood still
		must(b.t, f.Close())
		<-asked
		switch now := b.status().Audit; {
		case now == head:
		case slow:
			b.must("tick")
			head = b.status().Audit
		default:
			return append(wrong, fmt.Sprintf("round %d: half a rulebook came into force", i))
		}
	}
	return wrong
}

// settles is how long a changed file stands still before it is read.
const settles = 100 * time.Millisecond

// A file that somebody is writing in place is not read before he has done.
func TestPromise05HalfAFile(t *testing.T) {
	t.Parallel()
	b := peopled(t, 20)
	d := b.serve()
	d.scanned(t)
	duties := b.list()
	report(t, "", halves(b, random(t), times(20, 500)))
	b.must("tick")
	if b.list() != duties {
		t.Error("the duties changed")
	}
	if !b.status().Healthy {
		t.Errorf("%q", b.status().Problems)
	}
}

// Controls: a build that takes a bad rulebook for an empty one, and one that
// drops the one in force; each changes the duties.
func TestPromise05ControlsAreCaught(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]struct {
		file, was, is string
		half          bool
	}{
		"reads what is being written": {"scheduler/scheduler.go", "readErr == nil && files != s.glimpsed {", "readErr == nil && files != files {", true},
		"takes what it could read":    {"rules/parse.go", "	t.book(b)\n	if len(t.problems) > 0 {\n		return nil, t.problems.sorted()\n	}\n", "	t.book(b)\n", false},
		"does not say it":             {"scheduler/scheduler.go", "		s.bookErr, s.next, s.held = bookErr.Error(), nil, nil\n", "		s.bookErr, s.next, s.held = \"\", nil, nil\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := documents[0]
			b := newBranch(t)
			b.must("import", b.file("staff.csv", staff), b.file("loans.csv", ledger(20, today(), 0)))
			b.program = planted(t, fault.file, fault.was, fault.is)
			b.serve().scanned(t)
			if fault.half {
				if len(halves(b, random(t), 40)) == 0 {
					t.Error("the fault was not noticed")
				}
				return
			}
			wrong := doc.stays(b, ways[0], "an unknown unit", doc.bad["an unknown unit"], func() { b.run("tick") }, b.status())
			if len(wrong) == 0 {
				t.Error("the fault was not noticed")
			}
		})
	}
}

// A rulebook named with a command is the one that is meant: where it is bad the
// command does nothing. The one that lies in its place is another matter: the
// work goes on under the one in force, and says so.
func TestPromise05BadFileOfOneCommand(t *testing.T) {
	t.Parallel()
	b := peopled(t, 20)
	bad := b.file("bad.yaml", strings.Replace(rulebook, "1 month before", "1 mnth before", 1))
	before := b.must("upcoming", "--all", "-o", "json")
	head := b.status().Audit.Seq
	for _, args := range [][]string{
		{"--rules", bad, "tick"},
		{"--rules", bad, "import", b.file("loans2.csv", ledger(20, today(), 1))},
		{"--rules", filepath.Join(b.dir, "none.yaml"), "tick"},
	} {
		if r := b.run(args...); r.code != 1 || !strings.Contains(r.err, filepath.Base(args[1])) {
			t.Errorf("%q: %s", args, r)
		}
	}
	if r := b.run("--rules", bad, "tick"); !strings.Contains(r.err, bad+":10:10: ") {
		t.Errorf("the line is not named: %s", r)
	}
	if now := b.must("upcoming", "--all", "-o", "json"); now != before || b.status().Audit.Seq != head {
		t.Errorf("something changed; audit from %d to %d", head, b.status().Audit.Seq)
	}
	b.writeRules(strings.Replace(rulebook, "1 month before", "1 mnth before", 1))
	r := b.run("import", filepath.Join(b.dir, "loans2.csv"))
	if r.code != 0 || !strings.Contains(r.err, "rules.yaml:10:10: ") {
		t.Errorf("a bad file in its place: %s", r)
	}
}
