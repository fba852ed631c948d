// Package ledger reads a bank's own files - workbooks and CSV, with the
// columns and the words that each bank has - into facts, and tells what
// happened between two of them.
//
// It takes a file whole or not at all: a file with one mistake gives every
// mistake it holds, each with its place and what to do, and no facts. It knows
// no store, no rule and no clock.
package ledger
