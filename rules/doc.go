// Package rules turns a rulebook (规则簿) into duties: it parses and checks the
// YAML that ops write, derives every obligation from the facts and the working
// calendar, and explains each date.
//
// All of it is pure: no clock, no files, no store. The tour, in the order of
// the work: problem.go collects mistakes with their place, tree.go reads YAML
// without its surprises, parse.go makes a Book of it, date.go and condition.go
// read the two small languages inside; derive.go begins a derivation, loans.go,
// interest.go, interval.go, groups.go and happened.go find what comes round,
// decide.go and dating.go make a duty of it; layout.go, questions.go, era.go and
// the short ways do the same for many units in a row; closing.go says what an event
// discharges, reason.go records why.
//
// Cases (用例) test a rulebook: casefile.go and its neighbours read them,
// replay.go lives their days as the daemon would, expect.go holds what stands
// then against what they expect.
package rules
