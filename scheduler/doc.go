// Package scheduler is the one place with a clock. It takes in ledger files
// and events, makes and reconciles the plan, raises what is due, and answers
// what the commands and pages ask.
//
// Every change is one transaction: the facts, the plan, the audit record and
// the outbox entry, or nothing. The tour: scheduler.go holds the documents in
// force, day.go says what day it is, change.go is a transaction at work,
// imports.go, record.go and tick.go are the three ways in, run.go is the
// daemon's loop, query.go, why.go and status.go only read.
package scheduler
