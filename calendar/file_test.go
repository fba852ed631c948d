package calendar

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// notice2027 is an invented notice with the shape of a real one.
const notice2027 = `version: 1
notices:
- number: 国办发明电〔2026〕99号
  issued: 2026-11-30
  year: 2027
  off: [2026-12-31..2027-01-02 元旦, 2027-02-05..2027-02-11 春节, 2027-05-01..2027-05-05 劳动节, 2027-10-01..2027-10-07 国庆节]
  work: [2026-12-27 元旦, 2027-01-30 春节, 2027-02-14 春节, 2027-05-08 劳动节, 2027-10-09 国庆节]
`

func add(t testing.TB, c *Calendar, file string) *Calendar {
	t.Helper()
	n, err := c.Add("new.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestANewNoticeMakesItsYearFirm(t *testing.T) {
	old := Builtin()
	c := add(t, old, notice2027)
	for _, x := range []struct{ from, limit, was, is string }{
		{"2026-12-31", "21 workdays", "2027-02-01 provisional", "2027-01-30"}, // a make-up Saturday
		{"2027-02-04", "1 workday", "2027-02-09 provisional", "2027-02-12"},
		{"2026-12-30", "1 workday", "2026-12-31", "2027-01-04"}, // December by the next year's notice
		{"2027-12-30", "2 workdays", "2028-01-03 provisional", "2028-01-03 provisional"},
	} {
		if was, is := shift(t, old, x.from, x.limit), shift(t, c, x.from, x.limit); was != x.was || is != x.is {
			t.Errorf("%s, %s: %s -> %s, want %s -> %s", x.from, x.limit, was, is, x.was, x.is)
		}
	}
	if s := c.Status(MustDate(2026, 12, 20)); s.Level != LevelOK || s.MissingYear != 2028 || s.FirmThrough != MustDate(2027, 12, 31) {
		t.Errorf("status %+v", s)
	}
	if c.Version() == old.Version() {
		t.Error("another calendar under the same version")
	}
	if n := c.Notices(); n[len(n)-1].Year != 2027 || len(n) != len(old.Notices())+1 {
		t.Errorf("notices: %v", n)
	}
	if again := add(t, c, notice2027); again.Version() != c.Version() {
		t.Error("the same notice again changed the calendar")
	}
}

// The three amendments of twenty years, each against the notices as they were
// known before it.
func TestAnAmendmentOverrulesItsNotice(t *testing.T) {
	for _, x := range []struct{ number, from, limit, before, after string }{
		{"国发明电〔2015〕1号", "2015-09-02", "1 workday", "2015-09-03", "2015-09-06"},
		{"国办发明电〔2019〕3号", "2019-04-25", "10 workdays", "2019-05-10", "2019-05-10"}, // two days off, two made up
		{"国办发明电〔2019〕3号", "2019-04-30", "1 workday", "2019-05-02", "2019-05-05"},
		{"国办发明电〔2020〕1号", "2020-01-23", "1 workday", "2020-01-31", "2020-02-03"},
		{"国办发明电〔2020〕1号", "2020-01-23", "2 workdays", "2020-02-01", "2020-02-04"}, // a make-up day was cancelled
	} {
		var before []source
		for _, s := range Builtin().sources {
			if s.number != x.number {
				before = append(before, s)
			}
		}
		c, ms := build(Builtin().statutory, before, 0, true)
		if err := ms.err(); err != nil {
			t.Fatal(err)
		}
		if was, is := shift(t, c, x.from, x.limit), shift(t, Builtin(), x.from, x.limit); was != x.before || is != x.after {
			t.Errorf("%s: %s, %s: %s -> %s, want %s -> %s", x.number, x.from, x.limit, was, is, x.before, x.after)
		}
	}
}

// The order of loading does not matter, only that of issue.
func TestLaterIssuedWinsWhateverIsLoadedFirst(t *testing.T) {
	amendment := `version: 1
notices:
- {number: 国办发明电〔2027〕98号, issued: 2027-03-22, year: 2027, off: [2027-05-06 劳动节], work: [2027-05-09 劳动节]}
`
	one := add(t, add(t, Builtin(), notice2027), amendment)
	both := add(t, Builtin(), notice2027+strings.TrimPrefix(amendment, "version: 1\nnotices:\n"))
	if !bytes.Equal(one.Text(), both.Text()) {
		t.Error("the text depends on the order of loading")
	}
	if got := shift(t, one, "2027-04-30", "1 workday"); got != "2027-05-07" {
		t.Errorf("after the long Labour Day: %s", got)
	}
}

func TestTheBanksOwnDaysWinOverNotices(t *testing.T) {
	c := add(t, Builtin(), `version: 1
overlay:
- source: 桂政办电〔2026〕3号
  issued: 2026-01-20
  off: [2026-04-19..2026-04-22 三月三]
  work: [2026-10-07 国庆值班]
`)
	for _, want := range []Day{
		{day(t, "2026-04-20"), false, KindOverlay, "三月三", "桂政办电〔2026〕3号"},
		{day(t, "2026-10-07"), true, KindOverlay, "国庆值班", "桂政办电〔2026〕3号"},
	} {
		if got, err := c.Day(want.Date); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	if o := c.Overlay(); len(o) != 1 || o[0].Number != "桂政办电〔2026〕3号" || len(o[0].Off) != 1 {
		t.Errorf("overlay %v", o)
	}
	if len(c.Notices()) != len(Builtin().Notices()) {
		t.Error("an overlay entry is among the notices")
	}
}

func TestTextBuildsTheSameCalendar(t *testing.T) {
	c := add(t, add(t, Builtin(), notice2027), `version: 1
overlay:
- {source: '总行"七"号\', issued: 2026-01-20, note: "a: b # c", off: [2026-12-24 决算]}
`)
	for _, c := range []*Calendar{Builtin(), c} {
		again, err := Load("kept", c.Text())
		if err != nil {
			t.Fatal(err)
		}
		if again.Version() != c.Version() || !strings.HasPrefix(c.Version(), "sha256:") || len(c.Version()) != 71 {
			t.Errorf("version %s became %s", c.Version(), again.Version())
		}
		first, last := c.Range()
		for d := first; d <= last; d++ {
			a, _ := c.Day(d)
			if b, _ := again.Day(d); a != b {
				t.Fatalf("%+v became %+v", a, b)
			}
		}
	}
}

func TestBadFilesAreRefusedWithTheirPlace(t *testing.T) {
	head := "version: 1\nnotices:\n- number: X\n  issued: 2026-11-30\n  year: 2027\n"
	for _, c := range []struct{ promise, file, want string }{
		{"empty", "", "new.yaml:1:1: the file is empty"},
		{"only a comment", "# later\n", "new.yaml:1:1: the file is empty"},
		{"a number that is nothing", strings.Replace(notice2027, "number: 国办发明电〔2026〕99号", "number: null", 1), "new.yaml:3:11: number: want a value"},
		{"GBK", "version: 1\n# \xb9\xfa\xc7\xec\n", "new.yaml:2: not UTF-8 (另存为 UTF-8)"},
		{"a year not complete", head + "  off: [2027-01-01 元旦]\n",
			"new.yaml:3:11: 2027 has 260 working days; want 245 to 255: is a day off or a make-up day missing, or one too many?"},
		{"too many days off", head + "  off: [2027-03-01..2027-03-31 春节]\n",
			"new.yaml:3:11: 2027 has 238 working days; want 245 to 255: is a day off or a make-up day missing, or one too many?"},
		{"a make-up day on an ordinary working day", strings.Replace(notice2027, "work: [", "work: [2027-03-01 妇女节, ", 1),
			"new.yaml:7:10: 2027-03-01 is a Monday and a working day anyway; leave it out"},
		{"a day twice", strings.Replace(notice2027, "work: [", "work: [2027-02-05 春节, ", 1),
			"new.yaml:7:10: 2027-02-05 is given twice; also in line 6"},
		{"other content under a loaded number", strings.Replace(notice2027, "国办发明电〔2026〕99号", "国办发明电〔2025〕7号", 1),
			`new.yaml:3:11: "国办发明电〔2025〕7号" is already loaded with other content`},
		{"the same number twice", notice2027 + strings.TrimPrefix(notice2027, "version: 1\nnotices:\n"),
			`new.yaml:8:11: "国办发明电〔2026〕99号" is given twice; first in line 3`},
		{"an impossible year", strings.Replace(notice2027, "year: 2027", "year: 2006", 1),
			`new.yaml:5:9: year "2006": want a year from 2007 to 2099`},
		{"a year that YAML would read", strings.Replace(notice2027, "year: 2027", "year: 0x7eb", 1),
			`new.yaml:5:9: year "0x7eb": want a year from 2007 to 2099`},
		{"days of another year", strings.Replace(notice2027, "year: 2027", "year: 2026", 1),
			"new.yaml:6:36: 2027-02-05..2027-02-11 春节 is outside 2025-12-24 to 2027-01-10" + "\n" +
				"new.yaml:6:63: 2027-05-01..2027-05-05 劳动节 is outside 2025-12-24 to 2027-01-10" + "\n" +
				"new.yaml:6:91: 2027-10-01..2027-10-07 国庆节 is outside 2025-12-24 to 2027-01-10" + "\n" +
				"new.yaml:7:25: 2027-01-30 春节 is outside 2025-12-24 to 2027-01-10" + "\n" +
				"new.yaml:7:40: 2027-02-14 春节 is outside 2025-12-24 to 2027-01-10" + "\n" +
				"new.yaml:7:55: 2027-05-08 劳动节 is outside 2025-12-24 to 2027-01-10" + "\n" +
				"new.yaml:7:71: 2027-10-09 国庆节 is outside 2025-12-24 to 2027-01-10"},
		{"issued long before", strings.Replace(notice2027, "issued: 2026-11-30", "issued: 2016-11-30", 1),
			"new.yaml:4:11: issued 2016-11-30 for the year 2027: want a day of 2026 or 2027"},
		{"two that contradict each other", notice2027 + "- {number: Z, issued: 2026-11-30, year: 2027, off: [2027-01-30 春节]}\n",
			`new.yaml:7:25: 2027-01-30: "Z" says otherwise and was issued on the same day; which one is later?`},
		{"unknown keys", strings.NewReplacer("number:", "nubmer:", "issued:", "published:").Replace(notice2027),
			`new.yaml:3:3: unknown key "nubmer" in a notice; want number, issued, year, note, off, work; did you mean "number"?` + "\n" +
				"new.yaml:3:3: a notice without number" + "\n" +
				"new.yaml:3:3: a notice without issued" + "\n" +
				`new.yaml:4:3: unknown key "published" in a notice; want number, issued, year, note, off, work`},
		{"keys twice", strings.Replace(notice2027, "  year: 2027\n", "  year: 2027\n  year: 2028\n", 1),
			"new.yaml:6:3: year is given twice; first in line 5"},
		{"bad days, all at once", head + "  off:\n  - 2027-02-30 春节\n  - 2027-01-01\n  - 2027-01-03..2027-01-01 元旦\n  - 2027-1-4 元旦\n  - 2027-03-01..2027-06-01 长假\n  work: none\n",
			`new.yaml:7:5: day "2027-02-30 春节": date "2027-02-30": no such day; want 2026-01-04 元旦 or 2026-01-01..2026-01-03 元旦` + "\n" +
				`new.yaml:8:5: day "2027-01-01": the festival's name is missing; want 2027-01-01 元旦` + "\n" +
				`new.yaml:9:5: day "2027-01-03..2027-01-01 元旦": ends before it starts` + "\n" +
				`new.yaml:10:5: day "2027-1-4 元旦": date "2027-1-4": want YYYY-MM-DD; want 2026-01-04 元旦 or 2026-01-01..2026-01-03 元旦` + "\n" +
				`new.yaml:11:5: day "2027-03-01..2027-06-01 长假": 93 days at a stretch; want at most 31` + "\n" +
				"new.yaml:12:9: work: want a list that is not empty"},
		{"anchors, aliases and tags", "version: !!int 1\nnotices: &n\n- *n\n",
			"new.yaml:1:10: tag !!int; leave it out" + "\n" +
				"new.yaml:2:10: anchor &n; write the value out" + "\n" +
				"new.yaml:3:3: alias *n; write the value out"},
		{"a second document", notice2027 + "---\nversion: 1\n",
			"new.yaml:8:1: a second document; want one only"},
		{"tabs", strings.Replace(notice2027, "  issued:", "\tissued:", 1),
			"new.yaml:4:1: a tab; indent with spaces (不能用制表符，请用空格)"},
		{"full-width punctuation", strings.NewReplacer("number: ", "number：", "2027-01-02 元旦, ", "2027-01-02 元旦，", "year: 2027", "year: ２027").Replace(notice2027),
			`new.yaml:3:9: full-width '：' outside quotes; want ":" (请用半角标点)` + "\n" +
				"new.yaml:5:9: full-width '２'; want '2' (请用半角数字)" + "\n" +
				`new.yaml:6:34: full-width '，' outside quotes; want "," (请用半角标点)`},
		{"a syntax error is found where it is", strings.Replace(notice2027, "元旦, 2027-02-05", "元旦], 2027-02-05", 1),
			"new.yaml:6: YAML: did not find expected key"},
		{"a bracket that is not closed", strings.Replace(notice2027, "国庆节]\n  work", "国庆节\n  work", 1),
			"new.yaml:6: YAML: did not find expected ',' or ']'"},
		{"a list at the top", "- version\n",
			"new.yaml:1:1: the file: want a mapping with version, statutory, notices, overlay"},
		{"nothing in it", "version: 2\n",
			"new.yaml:1:1: nothing in it; want notices, overlay or statutory" + "\n" +
				`new.yaml:1:10: version "2": want 1`},
		{"names that break tables", head + "  off: [\"2027-01-01 元\\t旦\"]\n",
			`new.yaml:6:9: day "2027-01-01 元\t旦": a character that does not print`},
		{"an overlay that closes the bank", "version: 1\noverlay:\n- {source: A, issued: 2026-01-01, off: [2026-03-01..2026-03-31 装修]}\n",
			"new.yaml:3:12: 2026 has 226 working days; want 235 to 260: is a day off or a make-up day missing, or one too many?"},
		{"a bad table of festivals", "version: 1\nstatutory:\n  source: 令\n  fixed: [02-29 闰日]\n  moving: [[2027-02-05 春节, 2028-04-04 清明节], [2027-04-05 清明节]]\n",
			`new.yaml:4:11: festival "02-29 闰日": want MM-DD NAME or MM-DD..MM-DD NAME within a month` + "\n" +
				"new.yaml:5:28: 2028-04-04 清明节: want days of one year in a row" + "\n" +
				"new.yaml:5:46: the year 2027 is given twice"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			_, err := Builtin().Add("new.yaml", []byte(c.file))
			if err == nil {
				t.Fatal("accepted")
			}
			if got := err.Error(); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
	_, err := Parse("big.yaml", append([]byte(notice2027), bytes.Repeat([]byte("#\n"), 1<<19)...))
	if want := "big.yaml:1:1: the file is larger than 1 MiB"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = Load("gap.yaml", []byte("version: 1\nnotices:\n- {number: X, issued: 2025-11-30, year: 2026, off: [2026-01-01 元旦]}\n- {number: Y, issued: 2027-11-30, year: 2028, off: [2028-01-01 元旦]}\n"))
	if want := "gap.yaml:4:12: a notice for 2028, but nothing is known of 2027"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = Load("own.yaml", []byte("version: 1\noverlay:\n- {source: A, issued: 2026-01-01, off: [2026-03-02 装修]}\n"))
	if want := "own.yaml:3:12: no notice at all; want at least one"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// A make-up day on a weekday is right where it takes back an earlier day off.
func TestANoticeMayTakeBackADayOff(t *testing.T) {
	c := add(t, add(t, Builtin(), notice2027), "version: 1\nnotices:\n- {number: Z, issued: 2027-03-01, year: 2027, work: [2027-05-05 劳动节]}\n")
	if d, _ := c.Day(MustDate(2027, 5, 5)); !d.Workday || d.Kind != KindMakeup {
		t.Errorf("%+v", d)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(notice2027))
	f.Add(cnYAML[:4000])
	f.Add([]byte("version: 1\noverlay:\n- {source: A, issued: 2026-01-01, off: [2026-03-02 装修]}\n"))
	f.Add([]byte("a: &b [*b]\n---\n\t：\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("f", data)
		if err != nil {
			if ms, ok := err.(Mistakes); !ok || len(ms) == 0 || ms[0].Line < 1 {
				t.Fatalf("no place: %v", err)
			}
			return
		}
		c, err := Builtin().With(file)
		if err != nil {
			return
		}
		again, err := Load("again", c.Text())
		if err != nil || again.Version() != c.Version() {
			t.Fatalf("the canonical text does not come back: %v\n%s", err, c.Text())
		}
	})
}

func ExampleCalendar_Shift() {
	limit, _ := ParseLimit("10 workdays")
	r, _ := Builtin().Shift(MustDate(2026, 1, 31), limit)
	fmt.Println(r.Date, r.Provisional)
	// Output: 2026-02-13 false
}
