// Package report works out what people above a branch ask for: the sample of
// an on-site supervision, what is missing in a portfolio that no deadline can
// show, and the figures of what was done in time.
//
// It is pure: facts or obligations, a day and a seed in, answers with their
// reasons out. It
// reads no store and no rulebook. The tour: quota.go says what a sample must
// hold, cover.go how few borrowers can hold it, sample.go draws them,
// candidate.go says who may be drawn; checks.go lists the checks of a
// portfolio, portfolio.go gathers what they find; standing.go says what an
// obligation counts as on a day, tally.go, ageing.go and coverage.go sum that up,
// grouped.go breaks the sums down, score.go makes points of them; the other files
// are a check each.
package report
