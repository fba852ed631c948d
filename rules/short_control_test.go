package rules_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// plantedFaults are mistakes of the short way: where, what stands there, and
// what would stand there.
var plantedFaults = []struct{ name, file, right, wrong string }{
	{"unpaid a day early", "era.go", "landed+1)", "landed)"},
	{"a borrower seen for ever", "era.go", "edge(l.Maturity + 1)", "edge(firstDay)"},
	{"arrears overlooked", "era.go", "in = arrears", "in = 0"},
	{"a failing condition skipped", "questions.go", "case !f.a.risky && f.b", "case f.b"},
	{"a branch's own first day", "shortloan.go", "first: d.first(now.Branch)", "first: d.window.From"},
	{"facts of another period", "shortborrower.go", "d.env.Borrower, d.inEnv = e.env, k", "d.inEnv = k"},
}

// The comparison of the short way with the long one is worth what it catches:
// each fault, planted alone, must make it fail, and none of them must not.
func TestTheComparisonCatchesPlantedFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the tests of this package seven times")
	}
	compare := func(t *testing.T, replace map[string]string) (string, error) {
		overlay := filepath.Join(t.TempDir(), "overlay.json")
		text, err := json.Marshal(map[string]any{"Replace": replace})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(overlay, text, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlay, "-run", "^TestTheShortWayGivesWhatTheLongOneDoes$", ".", "-rapid.checks=3000", "-rapid.nofailfile", "-rapid.shrinktime=0s").CombinedOutput()
		return string(out), err
	}
	if out, err := compare(t, nil); err != nil {
		t.Fatalf("without a fault: %v\n%s", err, out)
	}
	for _, f := range plantedFaults {
		t.Run(f.name, func(t *testing.T) {
			path, err := filepath.Abs(f.file)
			if err != nil {
				t.Fatal(err)
			}
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(source), f.right) != 1 {
				t.Fatalf("%s does not hold %q once", f.file, f.right)
			}
			patched := filepath.Join(t.TempDir(), f.file)
			if err := os.WriteFile(patched, []byte(strings.Replace(string(source), f.right, f.wrong, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := compare(t, map[string]string{path: patched})
			if err == nil {
				t.Fatal("it was not noticed")
			}
			if !strings.Contains(out, "--- FAIL: TestTheShortWayGivesWhatTheLongOneDoes") {
				t.Fatalf("it failed otherwise: %v\n%s", err, out)
			}
		})
	}
}
