//go:build linux

package main

import (
	"io"
	"slices"
	"testing"
)

// A peer whose modules cannot be had is named, not left out.
func TestAPeerThatCannotBeBuiltIsNamedMissing(t *testing.T) {
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOPROXY", "off")
	s := &session{options: options{peers: true, talk: io.Discard}, dir: t.TempDir()}
	if err := s.buildGoPeers(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.missing, goPeers) || s.has("pebble") {
		t.Errorf("missing: %v, want %v", s.missing, goPeers)
	}
}
