//go:build !(linux && amd64)

package promises

import (
	"testing"
	"time"
)

type wall struct{}

func newWall(t *testing.T) *wall {
	needClockstep(t)
	return nil
}

func (*wall) set(time.Duration) {}

func (b *branch) under(*wall) *branch { return b }

// needClockstep fails where no process can be deceived about the wall.
func needClockstep(t *testing.T) {
	t.Helper()
	need(t, false, "ptrace of linux/amd64 to move the wall clock of a process")
}
