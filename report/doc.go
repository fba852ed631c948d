// Package report works out what people above a branch ask for: the sample of
// an on-site supervision, and what is missing in a portfolio that no deadline
// can show.
//
// It is pure: facts, a day and a seed in, answers with their reasons out. It
// reads no store and no rulebook. The tour: quota.go says what a sample must
// hold, cover.go how few borrowers can hold it, sample.go draws them,
// candidate.go says who may be drawn; checks.go lists the checks of a
// portfolio, portfolio.go gathers what they find, the other files are a check
// each.
package report
