package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A config file is taken, or refused with the place of what is wrong; and one
// whose lines come in another order is the same one.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(configText))
	f.Add([]byte(strings.ReplaceAll(configText, "\n# ", "\n")))
	f.Add([]byte("rules: a.yaml\nlang: zh\nhold: {share: 20%, least: 200}\n"))
	f.Add([]byte("output: {a: b}\noutput: x\nlangg: zh\nhold: 3\n"))
	f.Add([]byte("lang: zh\n---\nlang: en\n"))
	f.Add([]byte("a: [\n"))
	path := filepath.Join(f.TempDir(), "config.yaml")
	f.Fuzz(func(t *testing.T, text []byte) {
		read := func(text []byte) (config, error) {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			return readConfig(path, true)
		}
		c, err := read(text)
		place := regexp.MustCompile(`^` + regexp.QuoteMeta(path) + `:`)
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if !place.MatchString(line) {
					t.Fatalf("no place: %q", line)
				}
			}
			return
		}
		if c.hold.Share < 0 || c.hold.Share > 1 || c.hold.Least < 0 {
			t.Fatalf("hold %+v", c.hold)
		}
		if again, err := read(append([]byte("# remark\n"), text...)); strings.HasPrefix(string(text), "\uFEFF") == false && (err != nil || again != c) {
			t.Fatalf("%+v, below a remark %+v, %v", c, again, err)
		}
	})
}
