package rules_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tickler"
	"tickler/rules"
)

var update = flag.Bool("update", false, "write the mistakes found behind the rulebooks in testdata/bad; read them before they are committed")

// mark begins the lines behind a bad rulebook that say what is wrong with it.
const mark = "### "

// Each file of testdata/bad is a rulebook and, behind it, every line that
// `rules check` says of it.
func TestBadRulebooks(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d bad rulebooks, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text, said := data, ""
			if i := bytes.Index(data, []byte(mark)); i >= 0 {
				text, said = data[:i], string(data[i:])
			}
			book, err := rules.Parse(filepath.Base(file), text)
			if err == nil {
				t.Fatal("it was read")
			}
			if book != nil {
				t.Error("a book beside the mistakes")
			}
			var want []string
			for _, line := range strings.Split(strings.TrimSpace(said), "\n") {
				want = append(want, strings.TrimPrefix(line, mark))
			}
			if *update {
				out := append([]byte(nil), text...)
				for _, line := range strings.Split(err.Error(), "\n") {
					out = append(out, mark+line+"\n"...)
				}
				if err := os.WriteFile(file, out, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			same(t, strings.Split(err.Error(), "\n"), want)
		})
	}
}

// A file that cannot be a rulebook is refused before anything is read of it.
func TestAHugeFileIsRefusedAtOnce(t *testing.T) {
	text := append([]byte("version: 1\nrules:\n"), bytes.Repeat([]byte("- {id: a, for: loan, due: on loan.maturity}\n"), 250_000)...)
	began := time.Now()
	_, err := rules.Parse("r.yaml", text)
	if err == nil || err.Error() != "r.yaml:1: the file holds 11000018 bytes, a rulebook at most 1048576 (文件过大); split it, or remove what is not a rule" {
		t.Error(err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// The line of a syntax error is found in a long file too.
func TestASyntaxErrorInALargeFileIsFoundInTime(t *testing.T) {
	line := "- {id: a, for: loan, due: on loan.maturity}\n"
	n := 200_000 / len(line)
	text := "version: 1\nrules:\n" + strings.Repeat(line, n/2) + "- {id: a, for: loan\n" + strings.Repeat(line, n/2)
	began := time.Now()
	_, err := rules.Parse("r.yaml", []byte(text))
	ps, ok := err.(rules.Problems)
	// The brace is open until the next line cannot go on with it.
	if !ok || len(ps) != 1 || ps[0].Line != n/2+3 {
		t.Errorf("%v; want line %d", err, n/2+3)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestWindowsEditorsAreWelcome(t *testing.T) {
	text := "\ufeff" + strings.ReplaceAll(string(tickler.Rulebook), "\n", "\r\n")
	a, b := mustParse(t, text), mustParse(t, string(tickler.Rulebook))
	if len(a.Rules) != len(b.Rules) || a.Rules[3].When != nil && a.Rules[3].When.Text != b.Rules[3].When.Text {
		t.Error("a byte order mark and CRLF change the rulebook")
	}
}

// What looks like a mistake is none where it is text.
func TestChinesePunctuationIsWelcomeInText(t *testing.T) {
	b := mustParse(t, `version: 1
rules:
- id: r
  for: loan
  name: 说明：“通知”，（见附件）
  note: >-
    每月一次：
    ，可延期
    by：officer
  when: 'loan.status == "移交，转让"'
  due: on loan.maturity   # 注：到期日
`)
	if got := b.Rules[0].Note; got != "每月一次： ，可延期 by：officer" {
		t.Errorf("%q", got)
	}
}

// FuzzParse holds Parse to its promises on any text: it ends, it does not
// panic, it gives a book or mistakes, and every mistake has its line, in order
// and once.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "testdata/good/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add(tickler.Rulebook)
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := rules.Parse("r.yaml", text)
		if (b == nil) == (err == nil) {
			t.Fatalf("book %v, error %v", b, err)
		}
		if err == nil {
			rules.Lint(b)
			return
		}
		ps := err.(rules.Problems)
		if len(ps) == 0 {
			t.Fatal("refused without a mistake")
		}
		lines := 1 + bytes.Count(text, []byte("\n")) + bytes.Count(text, []byte("\r")) + bytes.Count(text, []byte("\u0085")) + bytes.Count(text, []byte("\u2028")) + bytes.Count(text, []byte("\u2029"))
		for i, p := range ps {
			if len(bytes.TrimSpace(text)) > 0 && (p.Line < 1 || p.Line > lines) {
				t.Errorf("line %d of %d: %s", p.Line, lines, p)
			}
			if p.Text == "" || p.Col < 0 {
				t.Errorf("%+v", p)
			}
			if i > 0 && (ps[i-1].Line > p.Line || ps[i-1] == p) {
				t.Errorf("out of order, or twice: %s, %s", ps[i-1], p)
			}
		}
	})
}
