// Package tickler carries the rulebook that the program ships with.
package tickler

import _ "embed"

// Rulebook is rules.yaml, every rule of the manual; `tickler init` copies it
// into a branch's data directory, where ops edit it.
//
//go:embed rules.yaml
var Rulebook []byte
