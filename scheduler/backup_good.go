package scheduler

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tickler/api"
)

// backupList names, in the data directory, the backups that people had made
// elsewhere: where the store is damaged its audit cannot be asked.
const backupList = "backups.list"

// listed is how many of those are remembered.
const listed = 50

// remember notes where a backup is that is not in the directory of backups.
func (s *Scheduler) remember(file string) error {
	if s.cfg.Data == "" || filepath.Dir(file) == filepath.Clean(s.cfg.Backups.Dir) {
		return nil
	}
	path := filepath.Join(s.cfg.Data, backupList)
	lines := slices.DeleteFunc(readList(path), func(l string) bool { return l == file })
	lines = append(lines, file)
	return WriteFile(path, []byte(strings.Join(lines[max(0, len(lines)-listed):], "\n")+"\n"), 0o600)
}

func readList(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// NewestGood gives the newest backup that is sound, of those in a directory and
// those that were made elsewhere; nil where there is none that can be read.
func NewestGood(ctx context.Context, data, dir string, prove Prover) *api.Copy {
	type candidate struct {
		file string
		at   time.Time
	}
	var all []candidate
	add := func(file string) {
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() || info.Size() == 0 || slices.ContainsFunc(all, func(c candidate) bool { return c.file == file }) {
			return
		}
		at, ok := backupTime(filepath.Base(file))
		if !ok {
			at = info.ModTime()
		}
		all = append(all, candidate{file, at})
	}
	if dir != "" {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), backupSuffix) {
				add(filepath.Join(dir, e.Name()))
			}
		}
	}
	for _, file := range readList(filepath.Join(data, backupList)) {
		add(file)
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return b.at.Compare(a.at) })
	for _, c := range all {
		if ctx.Err() != nil {
			return nil
		}
		if good, err := prove(ctx, c.file); err == nil {
			return good
		}
	}
	return nil
}
