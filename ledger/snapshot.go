package ledger

import (
	"tickler/calendar"
	"tickler/loan"
)

// Kind is what the rows of a sheet are.
type Kind string

const (
	KindLoan       Kind = "loan"       // 借据
	KindBorrower   Kind = "borrower"   // 客户
	KindGuarantor  Kind = "guarantor"  // 保证人
	KindCollateral Kind = "collateral" // 抵质押物
	KindGroup      Kind = "group"      // 集团
	KindBranch     Kind = "branch"     // 机构
	KindStaff      Kind = "staff"      // 人员
	KindEvent      Kind = "event"      // 事件
)

// Snapshot is what one file says. Rows keep the order of the file.
type Snapshot struct {
	Name     string        // the file's base name
	Digest   string        // sha256:… of its bytes
	DataDate calendar.Date // 数据日期; zero where neither the file nor the options give one

	Loans       Loans
	Borrowers   []loan.Borrower
	Guarantors  []loan.Guarantor
	Collaterals []loan.Collateral // one for each 押品号, with the loans of all its rows
	Groups      []loan.Group      // one for each 集团号, with the members of all its rows
	Branches    []loan.Branch
	Staff       []loan.Staff
	Events      []loan.Event // Learned and By are the caller's to fill
	EventAt     []Problem    // where each of the events stands, for what only the caller can find wrong

	Sheets   []Sheet  // in the order of the file; a CSV is one sheet without a name
	Columns  []Column // of the sheets that were read
	Warnings []Warning
}

// Sheet says what a sheet was read as.
type Sheet struct {
	Name   string
	Kind   Kind // "" where the sheet was passed over
	Header int  // row of the header, from 1; 0 where there is none
	Rows   int  // rows of data that were read
	Why    Text // why it was passed over
}

// Column says what a column was read as.
type Column struct {
	Sheet  string
	Header string // as the file writes it
	Field  string // the canonical name, 借据号; X where it is kept under its own header; "" where it is dropped
	Unit   string // of an amount: 元, 万元
}

// X is the Field of a column that no field takes and that is kept as it is.
const X = "x"

// Text is a message in both languages.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// In gives the message in the language, "zh" or "en"; any other is English.
func (t Text) In(lang string) string {
	if lang == "zh" {
		return t.ZH
	}
	return t.EN
}

// Warning is something that was read in the laxest way and that a person
// should see. Codes: mode_default, class_default, no_maturity, balance_empty,
// amount_rounded, extension_earlier, date_in_future, id_zeros.
type Warning struct {
	Code   string
	Sheet  string
	Column string
	Count  int // rows it holds for
	Text   Text
}

// Options say how to read a file. The zero value reads every sheet with the
// names built in.
type Options struct {
	Mapping  *Mapping
	DataDate calendar.Date // wins over 数据日期 of the rows
	Sheet    string        // read this sheet alone; "" is all
	Today    calendar.Date // to warn of a data date still to come; zero does not
}
