//go:build linux

package promises

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A backup that is killed at any call leaves a whole copy under its name, or
// nothing; the store it was made from is as before, and the next one works.
func TestPromise01AKilledBackupLeavesAWholeCopyOrNone(t *testing.T) {
	t.Parallel()
	base := peopled(t, 30)
	base.scratch = memory()
	before := base.state()
	backup := func(b *branch) string { return filepath.Join(b.dir, "copy.db") }
	b := base.copied()
	whole := b.trace(0, "backup", backup(b))
	if whole.code != 0 {
		t.Fatal(whole)
	}
	b.discard()
	// A finished backup leaves a record, which names the file; all else stays.
	told := func(b *branch) string {
		var out strings.Builder
		for line := range strings.Lines(b.state().told) {
			if !strings.Contains(line, `"action":"store.backup"`) {
				out.WriteString(line)
			}
		}
		return out.String()
	}
	for _, n := range places(whole.calls, random(t), times(10, 1<<20)) {
		b := base.copied()
		r := b.trace(n, "backup", backup(b))
		at := fmt.Sprintf("killed at call %d, %s", n, r.calls[len(r.calls)-1])
		b.must("check")
		if told(b) != before.told {
			t.Errorf("%s: the store changed", at)
		}
		_, err := os.Stat(backup(b))
		if err != nil && r.out != "" {
			t.Errorf("%s: acknowledged, and there is no copy: %v", at, err)
		}
		if err != nil {
			b.must("backup", backup(b))
		}
		c := *b // the copy in the store's place
		must(t, os.Rename(backup(b), filepath.Join(c.data, "tickler.db")))
		c.must("check")
		if told(&c) != before.told {
			t.Errorf("%s: the copy is another", at)
		}
		b.discard()
	}
}
