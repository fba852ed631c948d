package ledger

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// A mapping is taken whole or refused with the place of every mistake; and it
// does not depend on how the file's lines end.
func FuzzParseMapping(f *testing.F) {
	f.Add([]byte("columns:\n  我行借据码: 借据号\nignore: [机构名称]\nvalues:\n  五级分类: {A: 正常}\nunit: 万元\ndata_date: 2026-11-23\n"))
	f.Add([]byte("columns: &a {x: 借据号}\n"))
	f.Add([]byte("unit: 元\n---\nunit: 万元\n"))
	f.Add([]byte("\uFEFFvalues: {五级分类: {A: 正长}}\n"))
	place := regexp.MustCompile(`^m\.yaml(:[1-9][0-9]*(:[1-9][0-9]*)?)?: `)
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseMapping("m.yaml", text)
		if (m == nil) == (err == nil) {
			t.Fatalf("%v and %v", m, err)
		}
		if err != nil {
			if !place.MatchString(err.Error()) {
				t.Fatalf("no place: %v", err)
			}
			return
		}
		if strings.ContainsAny(string(text), "\r|>\"'") { // there a line's end is a part of what is said
			return
		}
		again, err := ParseMapping("m.yaml", []byte(strings.ReplaceAll(string(text), "\n", "\r\n")))
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Fatalf("%+v, with the lines of Windows %+v, %v", m, again, err)
		}
	})
}

// A file is the same file in GB18030, and again as the cells that were read of
// it; each of its mistakes has a place.
func FuzzReadCSV(f *testing.F) {
	f.Add(head + "\nJJ1" + rest + "\nJJ2" + rest + "\n")
	f.Add("借据号,客户名称,余额(万元),发放日,五级分类\nJJ1,甲,1.5,20260105,FQ03\n合计,,1.5,,\n")
	f.Add("借据号,客户名称,余额,发放日\n3.2E+17,甲,\"1,000.00\",2026年1月5日\nJJ1,甲,1,99991231\n")
	f.Add("客户号,客户名称\nC1,甲\n")
	place := regexp.MustCompile(`^a\.csv(:[1-9][0-9]*)?( |:|$)`)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.HasPrefix(text, "PK") {
			return
		}
		s, err := Read("a.csv", []byte(text), Options{})
		if err != nil {
			for _, p := range err.(*Errors).Problems {
				if line := p.In("en"); !place.MatchString(line) {
					t.Fatalf("no place: %s", line)
				}
			}
			return
		}
		gb, encErr := simplifiedchinese.GB18030.NewEncoder().String(text)
		if back, decErr := simplifiedchinese.GB18030.NewDecoder().String(gb); encErr != nil || decErr != nil || back != text || strings.HasPrefix(text, "\uFEFF") || len(gb) == len(text) {
			return // it has no such form, or is ASCII alone
		}
		other, err := Read("a.csv", []byte(gb), Options{})
		if err != nil {
			t.Fatalf("in GB18030: %v", err)
		}
		if !reflect.DeepEqual(s.Loans.All(), other.Loans.All()) || len(s.Borrowers) != len(other.Borrowers) || len(s.Events) != len(other.Events) {
			t.Fatalf("in GB18030 it reads otherwise:\n%+v\n%+v", s.Loans.All(), other.Loans.All())
		}
	})
}

// Classes, modes and other closed words, counts and ids are read the same
// however much white space stands around them and whatever their width.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"正常", "FQ03", "５", "损失 ", "１２个月", "12", "按季", "3.2E+17", "借据２０２６"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if fold(fold(s)) != fold(s) {
			t.Fatalf("%q folds to %q, and that to %q", s, fold(s), fold(fold(s)))
		}
		if squeeze(squeeze(s)) != squeeze(s) || trim(trim(s)) != trim(s) {
			t.Fatalf("%q is squeezed twice to something else", s)
		}
		n, ok := parseCount(trim(s), "个月", "月")
		if again, same := parseCount(trim(" "+s+"\u3000"), "个月", "月"); ok && (n < 0 || !same || again != n) {
			t.Fatalf("count %q is %d, with blanks %d %v", s, n, again, same)
		}
		for _, name := range names(s) {
			if name == "" || trim(name) != name {
				t.Fatalf("%q holds the name %q", s, name)
			}
		}
	})
}
