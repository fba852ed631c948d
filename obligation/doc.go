// Package obligation holds the duties (义务) of post-loan management: what one
// is, how it is named for ever, the states it goes through, and how a plan made
// anew is reconciled with the one that stands.
//
// Everything here is a value. Deriving duties is the work of package rules,
// keeping them that of package store.
package obligation
