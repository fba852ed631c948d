package scheduler_test

import "testing"

// A repayment that a person records and the file of the evening shows is one
// repayment, whichever is told first.
func TestAHappeningToldTwiceIsOneDuty(t *testing.T) {
	const file = "loan.repaid%2Floan%2FJJ1%2F2026-11-23"
	for _, c := range []struct {
		name string
		tell func(*branch)
		want string // of ledger-entry-change
	}{
		{"record, then file", func(b *branch) {
			b.tell("loan.repaid loan/JJ1 2026-11-23 id=r1")
			b.ledger(row("余额=40000"), row("借据号=JJ2"))
		}, "loan/JJ1:r1 done"},
		{"file, then record", func(b *branch) {
			b.ledger(row("余额=40000"), row("借据号=JJ2"))
			b.tell("loan.repaid loan/JJ1 2026-11-21 id=r1")
		}, "loan/JJ1:" + file + " done"},
		{"file, then two records", func(b *branch) {
			b.ledger(row("余额=40000"), row("借据号=JJ2"))
			b.tell("loan.repaid loan/JJ1 2026-11-21 id=r1")
			b.tell("loan.repaid loan/JJ1 2026-11-22 id=r2")
		}, "loan/JJ1:" + file + " done"},
		{"two records, then file", func(b *branch) {
			b.tell("loan.repaid loan/JJ1 2026-11-23 id=r1")
			b.tell("loan.repaid loan/JJ1 2026-11-23 id=r2")
			b.ledger(row("余额=40000"), row("借据号=JJ2"))
		}, "loan/JJ1:r1 done, loan/JJ1:r2 done"},
		{"a record of before the last file is another", func(b *branch) {
			b.ledger(row("余额=40000"), row("借据号=JJ2"))
			b.tell("loan.repaid loan/JJ1 2026-11-20 id=r1")
		}, "loan/JJ1:" + file + " done, loan/JJ1:r1 raised"},
		{"another loan's is another", func(b *branch) {
			b.tell("loan.repaid loan/JJ2 2026-11-23 id=r1")
			b.ledger(row("余额=40000"), row("借据号=JJ2"))
		}, "loan/JJ1:" + file + " done, loan/JJ2:r1 raised"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBranchUnder(t, "2026-11-20", everySet)
			b.ledger(row(""), row("借据号=JJ2"))
			b.on("2026-11-23")
			c.tell(b)
			if got := b.of("ledger-entry-change"); got != c.want {
				t.Errorf("there are %s; want %s", got, c.want)
			}
			b.again()
		})
	}
}

// Who takes back one of two tellings leaves one happening, with the duty it had.
func TestTheOtherTellingStandsWhenOneIsWithdrawn(t *testing.T) {
	for _, c := range []struct{ name, first, second, withdraw, want string }{
		{"the record before the file", "record", "file", "r1", "loan/JJ1:r1 raised"},
		{"the file after the record", "record", "file", "loan.settled/loan/JJ1/2026-11-23", "loan/JJ1:r1 raised"},
		{"the file before the record", "file", "record", "loan.settled/loan/JJ1/2026-11-23", "loan/JJ1:loan.settled%2Floan%2FJJ1%2F2026-11-23 raised"},
		{"the record after the file", "file", "record", "r1", "loan/JJ1:loan.settled%2Floan%2FJJ1%2F2026-11-23 raised"},
	} {
		for _, done := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				b := newBranchUnder(t, "2026-11-20", everySet)
				b.ledger(row(""))
				b.on("2026-11-23")
				tell := map[string]func(){
					"record": func() { b.tell("loan.settled loan/JJ1 2026-11-23 id=r1") },
					"file":   func() { b.ledger(row("余额=0")) },
				}
				tell[c.first]()
				tell[c.second]()
				want := c.want
				if done {
					b.tell("file.handed_over loan/JJ1 id=h1")
					want = want[:len(want)-len("raised")] + "submitted"
				}
				b.withdraw(c.withdraw)
				if got := b.of("file-handover"); got != want {
					t.Errorf("there are %s; want %s", got, want)
				}
				b.again()
				// Told a third time, it is still the same one.
				b.tell("loan.settled loan/JJ1 2026-11-23 id=r9")
				if got := b.of("file-handover"); c.withdraw == "r1" && got != want {
					t.Errorf("told again there are %s; want %s", got, want)
				}
				b.again()
			})
		}
	}
}

// What the one closed stays closed by the other.
func TestWhatAHappeningClosedStaysClosedWhileOneTellingStands(t *testing.T) {
	b := newBranchUnder(t, "2026-11-20", everySet)
	b.ledger(row("到期日=2026-12-31"), row("借据号=JJ2 发放日=2026-11-19"))
	b.on("2026-11-23")
	b.tell("loan.settled loan/JJ1 2026-11-21 id=r1")
	b.ledger(row("到期日=2026-12-31 余额=0"), row("借据号=JJ2 发放日=2026-11-19"))
	const check, file = "maturity-check:loan/JJ1:2026-12-31", "loan.settled/loan/JJ1/2026-11-23"
	b.holds(map[string]string{check: "done"})
	b.withdraw("r1")
	if o := b.all()[check]; o.State != "done" || o.ClosedBy != file || o.DoneOn != date("2026-11-23") {
		t.Errorf("%s by %q on %s, want done by the file", o.State, o.ClosedBy, o.DoneOn)
	}
	b.again()
	b.withdraw(file)
	b.holds(map[string]string{check: "cancelled"}) // the ledger says that nothing is left
	b.again()
}

func TestAQuotasOtherLogTakesTheWithdrawnOnesPlace(t *testing.T) {
	b := newBranchUnder(t, "2026-11-23", everySet)
	b.ledger(row(""))
	b.tell("worklog.submitted borrower/C1 2026-11-20 id=w1")
	b.tell("worklog.submitted borrower/C1 2026-11-23 id=w2")
	b.withdraw("w1")
	if o := b.all()["worklog-quota:borrower/C1:2026-11"]; o.State != "done" || o.ClosedBy != "w2" || o.DoneOn != date("2026-11-23") {
		t.Errorf("%s by %q on %s", o.State, o.ClosedBy, o.DoneOn)
	}
	b.again()
}

func TestBothTellingsWithdrawnLeaveNothing(t *testing.T) {
	b := newBranchUnder(t, "2026-11-20", everySet)
	b.ledger(row(""))
	b.on("2026-11-23")
	b.tell("loan.settled loan/JJ1 2026-11-23 id=r1")
	b.ledger(row("余额=0"))
	b.withdraw("r1")
	b.ledger(row("")) // the file was wrong as well
	if got := b.of("file-handover"); got != "loan/JJ1:r1 cancelled" {
		t.Errorf("there are %s", got)
	}
	b.again()
}

func TestTheRowOfTheDayIsItsEntryInTheLedger(t *testing.T) {
	b := newBranchUnder(t, "2026-11-20", everySet)
	b.ledger(row(""), row("借据号=JJ2"), row("借据号=JJ3"))
	b.on("2026-11-23")
	b.tell("loan.repaid loan/JJ2 2026-11-20 id=r2") // shown by the file of a later day only
	b.tell("loan.repaid loan/JJ3 2026-11-23 id=r3")
	b.ledger(row("余额=1"), row("借据号=JJ2 余额=1"), row("借据号=JJ3 余额=1"), row("借据号=JJ4 发放日=2026-11-23"), row("借据号=JJ5 发放日=2026-11-17"))
	b.holds(map[string]string{
		"ledger-entry-change:loan/JJ1:loan.repaid%2Floan%2FJJ1%2F2026-11-23": "done",
		"ledger-entry-change:loan/JJ2:r2":                                    "raised 2026-11-20",
		"ledger-entry-change:loan/JJ3:r3":                                    "done",
		"ledger-entry-disbursement:loan/JJ4:2026-11-23":                      "done",
		"ledger-entry-disbursement:loan/JJ5:2026-11-17":                      "raised 2026-11-17",
	})
	b.tell("ledger.recorded loan/JJ2 2026-11-23 id=l2")
	b.holds(map[string]string{"ledger-entry-change:loan/JJ2:r2": "done"})
	b.again()
}
