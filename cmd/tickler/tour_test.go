package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The tour of the README, its rule and its calendar file are what the program
// prints, in both tongues. A line … stands for any that were left out.
func TestTheTourIsRealOutput(t *testing.T) {
	for lang, tour := range map[string]struct{ file, from, to string }{
		"en": {"../../README.md", "## A tour of five minutes", "## The tree"},
		"zh": {"../../README.zh-CN.md", "## 五分钟上手", "## 目录"},
	} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(tour.file)
			if err != nil {
				t.Fatal(err)
			}
			_, rest, ok1 := strings.Cut(string(text), tour.from+"\n")
			part, _, ok2 := strings.Cut(rest, tour.to+"\n")
			if !ok1 || !ok2 {
				t.Fatalf("%s has no part from %q to %q", tour.file, tour.from, tour.to)
			}
			dir := t.TempDir()
			env := append(os.Environ(), "TICKLER_LANG="+lang, "TICKLER_DATA=", "TICKLER_RULES=", "NO_COLOR=1")
			for _, m := range block.FindAllStringSubmatch(part, -1) {
				switch body := m[2]; {
				case m[1] == "csv":
					save(t, dir, "loans.csv", body)
				case m[1] == "yaml" && strings.Contains(body, "\noverlay:"):
					save(t, dir, "branch-2026.yaml", body)
				case m[1] == "yaml":
					save(t, dir, "my.yaml", body)
				case m[1] == "console":
					play(t, dir, env, body)
				}
			}
		})
	}
}

var (
	block   = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")
	command = regexp.MustCompile(`(?m)^\$ `)
	changes = regexp.MustCompile(`^tickler (import|record|withdraw|tick|rules activate) `)
	where   = regexp.MustCompile(`\.yaml:\d+\)|line \d+:|第 \d+ 行`) // of a shipped case: they move
)

func save(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// play runs the commands of a block, each with what it should print.
func play(t *testing.T, dir string, env []string, body string) {
	t.Helper()
	for _, step := range command.Split(body, -1)[1:] {
		line, want, _ := strings.Cut(step, "\n")
		run := line
		if changes.MatchString(line) {
			run += " --force" // the tour's day may be ahead of the clock
		}
		c := exec.Command("sh", "-c", run+" 2>&1")
		c.Dir, c.Env = dir, env
		out, _ := c.CombinedOutput() // some of them are meant to fail
		if got := string(out); !like(got, want) {
			t.Errorf("$ %s\ngot\n%s\nthe README has\n%s", line, got, want)
		}
	}
}

// like compares line by line; a line … stands for any number of lines.
func like(got, want string) bool {
	var parts []string
	for _, line := range strings.Split(strings.TrimRight(want, "\n"), "\n") {
		if line == "…" || line == "……" {
			parts = append(parts, `(?:.*\n)*?`)
			continue
		}
		parts = append(parts, regexp.QuoteMeta(where.ReplaceAllString(line, "#"))+`\n`)
	}
	if len(parts) == 1 && want == "" {
		return strings.TrimSpace(got) == ""
	}
	got = where.ReplaceAllString(strings.TrimRight(got, "\n"), "#") + "\n"
	return regexp.MustCompile(`\A` + strings.Join(parts, "") + `\z`).MatchString(got)
}
