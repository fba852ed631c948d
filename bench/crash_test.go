//go:build linux

package main

import "testing"

// A kill proves nothing where nothing was being written, and a list after it
// nothing where rows are missing from it.
func TestACrashIsACrash(t *testing.T) {
	for out, ok := range map[string]bool{
		`[{"new": 0, "changed": 7}]`:                  true,
		`[{"new": 0, "changed": 0, "unchanged": 99}]`: false,
		`[]`: false,
	} {
		if err := changesSomething([]byte(out)); (err == nil) != ok {
			t.Errorf("%s: %v", out, err)
		}
	}
	a := asked{listed: 2}
	for out, ok := range map[string]bool{"a\nb\n": true, "a\n": false, "": false} {
		if err := a.check("a peer", []byte(out)); (err == nil) != ok {
			t.Errorf("%q: %v", out, err)
		}
	}
}
