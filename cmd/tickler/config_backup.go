package main

import (
	"path/filepath"
	"strconv"

	"gopkg.in/yaml.v3"

	"tickler/scheduler"
)

// backupDir is where the daemon puts its backups, in the data directory.
const backupDir = "backups"

// defaultBackups are made where the config file says nothing: a store without
// a copy is one disk away from nothing.
func defaultBackups(data string) scheduler.BackupPlan {
	return scheduler.BackupPlan{Dir: filepath.Join(data, backupDir), At: "0 1 * * *", Keep: scheduler.Keep{Daily: 7, Weekly: 4}}
}

// backupConfig is the config file's backup: what is not given stays as it is by
// default.
type backupConfig struct {
	off  bool
	dir  string
	at   string
	keep *scheduler.Keep
}

// plan puts what the file gives over the defaults. A relative directory is in
// the data directory.
func (c *backupConfig) plan(data string) scheduler.BackupPlan {
	p := defaultBackups(data)
	if c.off {
		return scheduler.BackupPlan{}
	}
	if c.dir != "" {
		if p.Dir = c.dir; !filepath.IsAbs(p.Dir) {
			p.Dir = filepath.Join(data, p.Dir)
		}
	}
	if c.at != "" {
		p.At = c.at
	}
	if c.keep != nil {
		p.Keep = *c.keep
	}
	return p
}

// readBackup reads when the daemon copies the store, and what it keeps.
func readBackup(n *yaml.Node, bad func(*yaml.Node, string, ...any)) (c backupConfig) {
	if n.Kind == yaml.ScalarNode && n.Value == "off" {
		return backupConfig{off: true}
	}
	fields(n, bad, "backup", `off, or {dir: backups, at: "0 1 * * *", keep: {daily: 7, weekly: 4}}`, map[string]func(*yaml.Node){
		"dir": func(v *yaml.Node) {
			if c.dir = v.Value; v.Kind != yaml.ScalarNode || c.dir == "" || v.Tag == "!!null" {
				bad(v, "dir: want a directory")
			}
		},
		"at": func(v *yaml.Node) {
			c.at = v.Value
			if _, err := scheduler.ParseSchedule(c.at); v.Kind != yaml.ScalarNode || err != nil {
				bad(v, `at %q: want minute, hour, day, month and weekday, such as "0 1 * * *"`, v.Value)
			}
		},
		"keep": func(v *yaml.Node) {
			var k scheduler.Keep
			count := func(to *int) func(*yaml.Node) {
				return func(v *yaml.Node) {
					m, err := strconv.Atoi(v.Value)
					if err != nil || v.Kind != yaml.ScalarNode || m < 0 || m > 10000 || strconv.Itoa(m) != v.Value {
						bad(v, "keep %q: want a number of backups, 0 to 10000", v.Value)
					}
					*to = m
				}
			}
			fields(v, bad, "keep", "{last: 3, daily: 7, weekly: 4, monthly: 12}", map[string]func(*yaml.Node){
				"last": count(&k.Last), "daily": count(&k.Daily), "weekly": count(&k.Weekly), "monthly": count(&k.Monthly)})
			c.keep = &k
		},
	})
	return c
}

// fields reads a mapping whose keys are all known, each once.
func fields(n *yaml.Node, bad func(*yaml.Node, string, ...any), name, want string, read map[string]func(*yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		bad(n, "%s: want %s", name, want)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch fn := read[k.Value]; {
		case fn == nil:
			bad(k, "%s: unknown key %q; want %s", name, k.Value, want)
		case seen[k.Value]:
			bad(k, "%q is there twice", k.Value)
		default:
			seen[k.Value] = true
			fn(v)
		}
	}
}
