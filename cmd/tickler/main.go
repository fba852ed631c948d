// Command tickler keeps a bank branch's post-loan deadlines: what falls due,
// when, by which clause, for whom, and what was done about it.
//
// It is wiring and words only. A command translates what was typed into one
// api call and the reply into a table, JSON or CSV; everything that decides
// anything lies below.
package main

import (
	"os"

	_ "time/tzdata" // branch servers come without zone files
)

func main() {
	os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
