package main

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tickler/calendar"
)

// What the fast writer appends is what encoding/csv writes of guarded cells.
func TestCSVLinesAreThoseOfTheLibrary(t *testing.T) {
	cell := rapid.OneOf(
		rapid.SampledFrom([]string{"", " ", "=1+1", "-5", "-", "+a", "@x", "\tx", "\r", `\.`, "a,b", `a"b`, "a\nb", "a\rb", "\u3000名", "名 称", "\u00a0x", "\x85", "\xff", "2026-11-23", "plain", "S007", "~", "{", "^", "a\x00b"}),
		rapid.String(),
	)
	rapid.Check(t, func(t *rapid.T) {
		day := calendar.Date(rapid.Int32Range(0, 800_000).Draw(t, "day"))
		n, yes := rapid.Int().Draw(t, "n"), rapid.Bool().Draw(t, "yes")
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 999).In(time.FixedZone("CST", 8*3600))
		var want, got bytes.Buffer
		slow, fast := csv.NewWriter(&want), newCSVLines(&got)
		for range rapid.IntRange(1, 3).Draw(t, "lines") {
			cells := rapid.SliceOfN(cell, 1, 5).Draw(t, "cells") // and more: a line of one empty cell is none of ours
			for _, s := range cells {
				fast.text(s)
			}
			fast.day(day)
			fast.number(n)
			fast.yes(yes)
			fast.moment(&at)
			fast.moment(nil)
			if err := fast.end(); err != nil {
				t.Fatal(err)
			}
			cells = guardedRow(append(cells, day.String()))
			slow.Write(append(cells, strconv.Itoa(n), strconv.FormatBool(yes), at.UTC().Format(time.RFC3339), ""))
		}
		slow.Flush()
		if err := fast.flush(); err != nil {
			t.Fatal(err)
		}
		if want.String() != got.String() {
			t.Fatalf("got\n%q\nwant\n%q", got.String(), want.String())
		}
	})
}
