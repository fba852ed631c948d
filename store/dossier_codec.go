package store

import (
	"maps"
	"slices"

	"tickler/calendar"
	"tickler/loan"
)

// A dossier, version 1 (codec.go says what the parts are):
//
//	there uint           1 where a customer row follows
//	[customer row]
//	list of loans        id text | confirmed day | gone day
//	                     | list of versions: from day | learned time | known day | row
//	                     | list of guarantors
//	list of collaterals
//
// A row is its fields in the order of their declaration, x a list of header
// name | text, by header. Texts are written once, so that a version that
// repeats the one before takes a byte for each.
const dossierVersion = 1

func (e *encoder) dossier(d *loan.Dossier) {
	if d.Borrower == nil {
		e.uint(0)
	} else {
		e.uint(1)
		e.borrower(d.Borrower)
	}
	e.uint(uint64(len(d.Loans)))
	for _, l := range d.Loans {
		e.text(l.ID)
		e.day(l.Confirmed)
		e.day(l.Gone)
		e.uint(uint64(len(l.History)))
		for i := range l.History {
			v := &l.History[i]
			e.day(v.From)
			e.time(v.Learned)
			e.day(v.Known)
			e.loan(&v.Value)
		}
		e.uint(uint64(len(l.Guarantors)))
		for i := range l.Guarantors {
			e.guarantor(&l.Guarantors[i])
		}
	}
	e.uint(uint64(len(d.Collaterals)))
	for _, c := range d.Collaterals {
		e.collateral(c)
	}
}

func (d *decoder) dossier(out *loan.Dossier) {
	switch d.uint() {
	case 0:
	case 1:
		out.Borrower = &loan.Borrower{}
		d.borrower(out.Borrower)
	default:
		d.fail()
	}
	for range d.count(leastFile) {
		l := &loan.LoanFile{ID: d.text(), Confirmed: d.day(), Gone: d.day()}
		if n := d.count(leastVersion); n > 0 {
			l.History = make(loan.History[loan.Loan], n)
		}
		for i := range l.History {
			v := &l.History[i]
			v.From = d.day()
			v.Learned = d.time()
			v.Known = d.day()
			d.loan(&v.Value)
			if d.err != nil {
				return
			}
		}
		if n := d.count(leastGuarantor); n > 0 {
			l.Guarantors = make([]loan.Guarantor, n)
		}
		for i := range l.Guarantors {
			d.guarantor(&l.Guarantors[i])
		}
		out.Loans = append(out.Loans, l)
	}
	for range d.count(leastCollateral) {
		c := &loan.Collateral{}
		d.collateral(c)
		out.Collaterals = append(out.Collaterals, c)
	}
}

// borrowerName reads as far as the name that holds on a day.
func (d *decoder) borrowerName(on calendar.Date) string {
	switch d.uint() {
	case 0:
	case 1:
		var b loan.Borrower
		if d.borrower(&b); b.Name != "" {
			return b.Name
		}
	default:
		d.fail()
	}
	for range d.count(leastFile) {
		d.text() // id
		d.day()  // confirmed
		d.day()  // gone
		name := ""
		for i := range d.count(leastVersion) {
			from := d.day()
			d.time()                                      // learnt
			d.day()                                       // known
			if is := d.passLoan(); i == 0 || from <= on { // as History.At has it
				name = is
			}
		}
		if name != "" || d.err != nil {
			return name
		}
		for range d.count(leastGuarantor) {
			var g loan.Guarantor
			d.guarantor(&g)
		}
	}
	return ""
}

// The least bytes that each part takes.
const (
	leastFile       = 5
	leastVersion    = 30
	leastGuarantor  = 7
	leastCollateral = 9
)

func (e *encoder) loan(l *loan.Loan) {
	e.text(l.ID)
	e.text(l.Contract)
	e.text(l.Borrower)
	e.text(l.BorrowerName)
	e.name(l.Branch)
	e.name(l.Officer)
	e.name(l.Product)
	e.name(l.Currency)
	e.int(int64(l.Amount))
	e.int(int64(l.Balance))
	e.int(int64(l.Arrears))
	e.day(l.Disbursed)
	e.day(l.Maturity)
	e.day(l.OriginalMaturity)
	e.int(int64(l.Extensions))
	e.name(string(l.Origin))
	e.name(string(l.Class))
	e.name(string(l.Mode))
	e.name(l.Guarantee)
	e.uint(uint64(len(l.Guarantors)))
	for _, g := range l.Guarantors {
		e.text(g)
	}
	e.text(l.Rate)
	e.name(string(l.Interest.Every))
	e.int(int64(l.Interest.SettleDay))
	e.int(int64(l.Interest.PayDay))
	e.day(l.Interest.PayDate)
	e.uint(uint64(len(l.FeeDates)))
	for _, d := range l.FeeDates {
		e.day(d)
	}
	e.name(l.Status)
	e.x(l.X)
}

func (d *decoder) loan(l *loan.Loan) {
	l.ID = d.text()
	l.Contract = d.text()
	l.Borrower = d.text()
	l.BorrowerName = d.text()
	l.Branch = d.name()
	l.Officer = d.name()
	l.Product = d.name()
	l.Currency = d.name()
	l.Amount = loan.Fen(d.int())
	l.Balance = loan.Fen(d.int())
	l.Arrears = loan.Fen(d.int())
	l.Disbursed = d.day()
	l.Maturity = d.day()
	l.OriginalMaturity = d.day()
	l.Extensions = int(d.int())
	l.Origin = loan.Origin(d.name())
	l.Class = loan.Class(d.name())
	l.Mode = loan.Mode(d.name())
	l.Guarantee = d.name()
	for range d.count(1) {
		l.Guarantors = append(l.Guarantors, d.text())
	}
	l.Rate = d.text()
	l.Interest.Every = loan.Settlement(d.name())
	l.Interest.SettleDay = int(d.int())
	l.Interest.PayDay = int(d.int())
	l.Interest.PayDate = d.day()
	for range d.count(1) {
		l.FeeDates = append(l.FeeDates, d.day())
	}
	l.Status = d.name()
	l.X = d.x()
}

// passLoan reads over a loan, part by part as loan does, and gives its
// borrower's name.
func (d *decoder) passLoan() (borrowerName string) {
	d.text() // id
	d.text() // contract
	d.text() // borrower
	borrowerName = d.text()
	for range 4 { // branch, officer, product, currency
		d.passName()
	}
	for range 3 { // amount, balance, arrears
		d.int()
	}
	for range 3 { // disbursed, maturity, original maturity
		d.day()
	}
	d.int()       // extensions
	for range 4 { // origin, class, mode, guarantee
		d.passName()
	}
	for range d.count(1) {
		d.text() // guarantor
	}
	d.text()     // rate
	d.passName() // interest: every
	d.int()      // settled on
	d.int()      // paid on
	d.day()      // paid next
	for range d.count(1) {
		d.day() // of a fee
	}
	d.passName() // status
	for range d.count(2) {
		d.passName() // header
		d.text()
	}
	return borrowerName
}

func (e *encoder) borrower(b *loan.Borrower) {
	e.text(b.ID)
	e.text(b.Name)
	e.text(b.Certificate)
	e.name(b.Type)
	e.name(b.Industry)
	e.name(string(b.Mode))
	e.name(b.Rating)
	e.text(b.Group)
	e.name(b.Branch)
	e.name(b.Officer)
	e.name(b.RiskManager)
	e.name(b.Custodian)
	e.int(int64(b.Stock))
	e.int(int64(b.Exposure))
	e.x(b.X)
}

func (d *decoder) borrower(b *loan.Borrower) {
	b.ID = d.text()
	b.Name = d.text()
	b.Certificate = d.text()
	b.Type = d.name()
	b.Industry = d.name()
	b.Mode = loan.Mode(d.name())
	b.Rating = d.name()
	b.Group = d.text()
	b.Branch = d.name()
	b.Officer = d.name()
	b.RiskManager = d.name()
	b.Custodian = d.name()
	b.Stock = loan.Fen(d.int())
	b.Exposure = loan.Fen(d.int())
	b.X = d.x()
}

func (e *encoder) guarantor(g *loan.Guarantor) {
	e.text(g.Loan)
	e.text(g.ID)
	e.text(g.Name)
	e.text(g.Contract)
	e.int(int64(g.Amount))
	e.day(g.PeriodUntil)
	e.x(g.X)
}

func (d *decoder) guarantor(g *loan.Guarantor) {
	g.Loan = d.text()
	g.ID = d.text()
	g.Name = d.text()
	g.Contract = d.text()
	g.Amount = loan.Fen(d.int())
	g.PeriodUntil = d.day()
	g.X = d.x()
}

func (e *encoder) collateral(c *loan.Collateral) {
	e.text(c.ID)
	e.uint(uint64(len(c.Loans)))
	for _, l := range c.Loans {
		e.text(l)
	}
	e.text(c.Name)
	e.name(c.Type)
	e.int(int64(c.Value))
	e.day(c.Valued)
	e.day(c.InsuredUntil)
	e.day(c.LastInspected)
	e.x(c.X)
}

func (d *decoder) collateral(c *loan.Collateral) {
	c.ID = d.text()
	for range d.count(1) {
		c.Loans = append(c.Loans, d.text())
	}
	c.Name = d.text()
	c.Type = d.name()
	c.Value = loan.Fen(d.int())
	c.Valued = d.day()
	c.InsuredUntil = d.day()
	c.LastInspected = d.day()
	c.X = d.x()
}

// x writes the columns that no field takes, by header.
func (e *encoder) x(m map[string]string) {
	e.uint(uint64(len(m)))
	if len(m) == 0 {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		e.name(k)
		e.text(m[k])
	}
}

func (d *decoder) x() map[string]string {
	n := d.count(2)
	if n == 0 {
		return nil
	}
	m := make(map[string]string, n)
	for range n {
		k := d.name()
		m[k] = d.text()
	}
	if d.err == nil && len(m) != n { // two of one name
		d.fail()
	}
	return m
}
