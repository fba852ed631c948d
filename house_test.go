package tickler_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The table of DESIGN.md says who may import whom. It is a promise: data flows
// one way.
func TestImportsFollowTheTable(t *testing.T) {
	allowed := table(t)
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := short(p.ImportPath)
		may, ok := allowed[name]
		if !ok {
			t.Errorf("package %s is not in the table of DESIGN.md", name)
			continue
		}
		for _, imp := range p.Imports {
			if imp != "tickler" && !strings.HasPrefix(imp, "tickler/") {
				continue
			}
			if !slices.Contains(may, short(imp)) && !slices.Contains(may, "*") {
				t.Errorf("%s imports %s; the table allows %v", name, short(imp), may)
			}
		}
	}
}

func short(path string) string {
	if path == "tickler" {
		return "root"
	}
	return strings.TrimPrefix(path, "tickler/")
}

var row = regexp.MustCompile(`(?m)^\| ([a-z/]+) \| ([^|]+) \|$`)

func table(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	section := string(text)
	section = section[strings.Index(section, "| package |"):]
	section = section[:strings.Index(section, "\n\n")]
	out := map[string][]string{}
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		for _, p := range strings.Split(m[2], ",") {
			out[m[1]] = append(out[m[1]], strings.TrimSpace(p))
		}
	}
	return out
}

// The clock has one room: time.Now is called in package scheduler, once.
func TestTheClockIsReadInOnePlace(t *testing.T) {
	out, err := exec.Command("git", "grep", "-n", `time\.Now()`, "--", "*.go", ":!*_test.go").Output()
	if err != nil {
		t.Fatalf("git grep: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "scheduler/") {
		t.Errorf("time.Now is named in %d places:\n%s", len(lines), strings.Join(lines, "\n"))
	}
}

// Dates are calendar.Date: AddDate turns 31 March minus one month into 3 March.
func TestNobodyCallsAddDate(t *testing.T) {
	out, _ := exec.Command("git", "grep", "-n", `\.AddDate(`, "--", "*.go", ":!*_test.go").Output()
	if len(out) > 0 {
		t.Errorf("AddDate overflows at month ends:\n%s", out)
	}
}
