package rules

// The facts by their names, as functions of the environment: a condition reads
// a fact with one call. A test holds them against the environment's tags.
var (
	textFacts = map[string]func(*env) string{
		"loan.id":               func(e *env) string { return e.Loan.ID },
		"loan.contract":         func(e *env) string { return e.Loan.Contract },
		"loan.borrower":         func(e *env) string { return e.Loan.Borrower },
		"loan.branch":           func(e *env) string { return e.Loan.Branch },
		"loan.officer":          func(e *env) string { return e.Loan.Officer },
		"loan.product":          func(e *env) string { return e.Loan.Product },
		"loan.currency":         func(e *env) string { return e.Loan.Currency },
		"loan.class":            func(e *env) string { return e.Loan.Class },
		"loan.mode":             func(e *env) string { return e.Loan.Mode },
		"loan.guarantee":        func(e *env) string { return e.Loan.Guarantee },
		"loan.status":           func(e *env) string { return e.Loan.Status },
		"borrower.id":           func(e *env) string { return e.Borrower.ID },
		"borrower.name":         func(e *env) string { return e.Borrower.Name },
		"borrower.mode":         func(e *env) string { return e.Borrower.Mode },
		"borrower.class":        func(e *env) string { return e.Borrower.Class },
		"borrower.branch":       func(e *env) string { return e.Borrower.Branch },
		"borrower.officer":      func(e *env) string { return e.Borrower.Officer },
		"borrower.type":         func(e *env) string { return e.Borrower.Type },
		"borrower.industry":     func(e *env) string { return e.Borrower.Industry },
		"borrower.rating":       func(e *env) string { return e.Borrower.Rating },
		"borrower.risk_manager": func(e *env) string { return e.Borrower.RiskManager },
		"borrower.custodian":    func(e *env) string { return e.Borrower.Custodian },
		"borrower.group":        func(e *env) string { return e.Borrower.Group },
		"borrower.group_role":   func(e *env) string { return e.Borrower.GroupRole },
		"collateral.id":         func(e *env) string { return e.Collateral.ID },
		"collateral.name":       func(e *env) string { return e.Collateral.Name },
		"collateral.type":       func(e *env) string { return e.Collateral.Type },
		"branch.id":             func(e *env) string { return e.Branch.ID },
		"branch.name":           func(e *env) string { return e.Branch.Name },
		"branch.parent":         func(e *env) string { return e.Branch.Parent },
		"branch.level":          func(e *env) string { return e.Branch.Level },
		"officer.id":            func(e *env) string { return e.Officer.ID },
		"officer.name":          func(e *env) string { return e.Officer.Name },
		"officer.branch":        func(e *env) string { return e.Officer.Branch },
		"officer.post":          func(e *env) string { return e.Officer.Post },
		"period.label":          func(e *env) string { return e.Period.Label },
		"event.id":              func(e *env) string { return e.Event.ID },
		"event.kind":            func(e *env) string { return e.Event.Kind },
	}
	truthFacts = map[string]func(*env) bool{
		"loan.extended":       func(e *env) bool { return e.Loan.Extended },
		"loan.first_time":     func(e *env) bool { return e.Loan.FirstTime },
		"loan.transferred":    func(e *env) bool { return e.Loan.Transferred },
		"loan.abnormal":       func(e *env) bool { return e.Loan.Abnormal },
		"loan.unpaid":         func(e *env) bool { return e.Loan.Unpaid },
		"collateral.abnormal": func(e *env) bool { return e.Collateral.Abnormal },
		"interest.unpaid":     func(e *env) bool { return e.Interest.Unpaid },
	}
	wholeFacts = map[string]func(*env) int{
		"loan.term_months":           func(e *env) int { return e.Loan.TermMonths },
		"collateral.max_term_months": func(e *env) int { return e.Collateral.MaxTermMonths },
		"branch.subordinates":        func(e *env) int { return e.Branch.Subordinates },
		"period.number":              func(e *env) int { return e.Period.Number },
	}
	decimalFacts = map[string]func(*env) float64{
		"loan.amount":           func(e *env) float64 { return e.Loan.Amount },
		"loan.balance":          func(e *env) float64 { return e.Loan.Balance },
		"loan.interest_arrears": func(e *env) float64 { return e.Loan.InterestArrears },
		"borrower.balance":      func(e *env) float64 { return e.Borrower.Balance },
		"borrower.stock":        func(e *env) float64 { return e.Borrower.Stock },
		"borrower.exposure":     func(e *env) float64 { return e.Borrower.Exposure },
		"collateral.value":      func(e *env) float64 { return e.Collateral.Value },
	}
	dayFacts = map[string]func(*env) Day{
		"loan.disbursed":           func(e *env) Day { return e.Loan.Disbursed },
		"loan.maturity":            func(e *env) Day { return e.Loan.Maturity },
		"loan.maturity_landed":     func(e *env) Day { return e.Loan.MaturityLanded },
		"loan.original_maturity":   func(e *env) Day { return e.Loan.OriginalMaturity },
		"collateral.valued":        func(e *env) Day { return e.Collateral.Valued },
		"collateral.insured_until": func(e *env) Day { return e.Collateral.InsuredUntil },
		"branch.opened":            func(e *env) Day { return e.Branch.Opened },
		"period.start":             func(e *env) Day { return e.Period.Start },
		"period.end":               func(e *env) Day { return e.Period.End },
		"interest.date":            func(e *env) Day { return e.Interest.Date },
		"interest.date_landed":     func(e *env) Day { return e.Interest.DateLanded },
		"fee.date":                 func(e *env) Day { return e.Fee.Date },
		"fee.date_landed":          func(e *env) Day { return e.Fee.DateLanded },
		"event.date":               func(e *env) Day { return e.Event.Date },
	}
	tableFacts = map[string]func(*env) map[string]string{
		"loan.x":       func(e *env) map[string]string { return e.Loan.X },
		"borrower.x":   func(e *env) map[string]string { return e.Borrower.X },
		"collateral.x": func(e *env) map[string]string { return e.Collateral.X },
		"branch.x":     func(e *env) map[string]string { return e.Branch.X },
		"event.x":      func(e *env) map[string]string { return e.Event.X },
	}
)
