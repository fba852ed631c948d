package promises

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"tickler/calendar"
)

// status is what "tickler status" says.
type status struct {
	Healthy  bool
	Business calendar.Date `json:"business_date"`
	LastTick *time.Time    `json:"last_tick"`
	Rulebook struct{ Digest, Problem string }
	Calendar struct{ Digest string }
	Problems []string
	Audit    struct {
		Seq  uint64
		Hash string
	}
	Counts map[string]int
}

// status asks how things are; a daemon that is not well answers too.
func (b *branch) status() status {
	b.t.Helper()
	r := b.run("status", "-o", "json")
	var s status
	if (r.code != 0 && r.code != 1) || json.Unmarshal([]byte(r.out), &s) != nil {
		b.t.Fatalf("status: %s", r)
	}
	return s
}

// writeRules puts a rulebook in place.
func (b *branch) writeRules(text string) {
	b.t.Helper()
	must(b.t, os.WriteFile(filepath.Join(b.data, "rules.yaml"), []byte(text), 0o600))
}
