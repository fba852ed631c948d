//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The test's binary is the one that bench starts for a hook.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "hook" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A small portfolio goes through every measurement that needs no peer, so that
// they keep up with the program; and nothing of it is left behind.
func TestASmallPortfolioIsMeasured(t *testing.T) {
	if testing.Short() {
		t.Skip("left out: -short")
	}
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	report := filepath.Join(t.TempDir(), "performance.md")
	if err := bench(t.Context(), []string{"-loans", "200", "-runs", "1", "-peers=false", "-micro=false", "-o", report}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"This run: 200 loans", "every peer (left out by -peers=false)", "sqlite3: missing", "pandas: missing", "PostgreSQL: missing", "pebble: missing",
		"### Plan from nothing, stored", "### Plan again", "### A scan", "### List one branch", "### Import a ledger of CSV", "### Read a workbook of 100 rows", "### Simulate a branch",
		"| what that wrote to the store | not a byte |",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
