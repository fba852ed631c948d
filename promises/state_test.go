package promises

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// state is all that a store says of itself, by its commands.
type state struct {
	duties []duty
	audit  []entry
	outbox []message

	told string // the same as text, moments and what follows from them left out
}

// entry is an audit record.
type entry struct {
	Seq                    int
	Action, Subject, Actor string
	Detail                 json.RawMessage
}

// message is an outbox entry.
type message struct {
	Message          int
	Kind, Obligation string
	Stands           string `json:"stands_for"`
	On               string
}

// moments are what two runs of one command differ in: when, and the hashes of
// records that say when.
var moments = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)"|"(prev|hash)":"[0-9a-f]{64}"`)

// state reads the store.
func (b *branch) state() *state {
	b.t.Helper()
	list := b.must("upcoming", "--all", "-o", "json")
	s := &state{duties: b.dutiesIn(list)}
	var told strings.Builder
	told.WriteString(list)
	trail := b.must("audit", "export")
	for line := range strings.Lines(trail) {
		var e entry
		must(b.t, json.Unmarshal([]byte(line), &e))
		s.audit = append(s.audit, e)
		if e.Action != "refused" { // an act tried again by him who did it
			told.WriteString(line)
		}
	}
	var digests []struct {
		Groups []struct{ Items []message }
	}
	must(b.t, json.Unmarshal([]byte(b.must("outbox", "list", "-o", "json")), &digests))
	for _, d := range digests {
		for _, g := range d.Groups {
			s.outbox = append(s.outbox, g.Items...)
		}
	}
	slices.SortFunc(s.outbox, func(x, y message) int { return x.Message - y.Message })
	for _, m := range s.outbox {
		fmt.Fprintln(&told, m)
	}
	s.told = moments.ReplaceAllString(told.String(), "·")
	return s
}

// known is what a person or the scan does with a duty, and where it is then.
var known = map[string]string{
	"raised": "raised", "submitted": "submitted", "signed": "submitted", "done": "done", "returned": "raised", "reopened": "raised", "revived": "raised",
	"waived": "waived", "cancelled": "cancelled", "lapsed": "lapsed",
}

// halves finds what is half there: a duty whose state has no audit record, a
// record without its message, a message without its record. It holds as long
// as nothing was sent from the outbox.
func (s *state) halves() []string {
	var out []string
	last := map[string]string{} // duty -> state by its last audit record
	owed := map[string]int{}    // kind and duty -> messages that its records ask for
	for i, e := range s.audit {
		if e.Seq != i+1 {
			out = append(out, fmt.Sprintf("audit record %d stands at place %d", e.Seq, i+1))
		}
		kind, ok := strings.CutPrefix(e.Action, "obligation.")
		if !ok || strings.HasSuffix(kind, ".by_person") || strings.HasSuffix(kind, ".refused") || kind == "altered" {
			continue
		}
		owed[kind+" "+e.Subject]++
		if to := known[kind]; to != "" {
			last[e.Subject] = to
		}
	}
	for _, d := range s.duties {
		want, told := last[d.ID]
		if !told {
			want = "planned"
		}
		if d.State != want && !(d.State == "cancelled" && !told) { // one that nobody was told of ends in silence
			out = append(out, fmt.Sprintf("%s is %s; by the audit trail it is %s", d.ID, d.State, want))
		}
		delete(last, d.ID)
	}
	for id, to := range last {
		out = append(out, fmt.Sprintf("%s is %s by the audit trail, and not there", id, to))
	}
	for i, m := range s.outbox {
		if m.Message != i+1 {
			out = append(out, fmt.Sprintf("message %d stands at place %d", m.Message, i+1))
		}
		if m.Kind != "remind" && m.Kind != "escalate" {
			owed[m.Kind+" "+m.Obligation]--
		}
	}
	for what, n := range owed {
		if n != 0 {
			out = append(out, fmt.Sprintf("%s: %+d in the audit trail against the outbox", what, n))
		}
	}
	slices.Sort(out)
	return out
}

// whole fails for what is half there.
func (s *state) whole(t *testing.T) {
	t.Helper()
	if bad := s.halves(); len(bad) > 0 {
		t.Errorf("half there (%d): %s", len(bad), strings.Join(bad[:min(5, len(bad))], "\n"))
	}
}

// events gives the events that were recorded, with the borrower of each.
func (s *state) events() map[string]string {
	out := map[string]string{}
	for _, e := range s.audit {
		if e.Action == "event.recorded" {
			var detail struct{ Subject string }
			json.Unmarshal(e.Detail, &detail) // what is no JSON has no subject, and is missed
			out[e.Subject] = strings.TrimPrefix(detail.Subject, "borrower/")
		}
	}
	return out
}

// differs shows the first line in which two states are not the same.
func differs(got, want *state) string {
	g, w := strings.Split(got.told, "\n"), strings.Split(want.told, "\n")
	for i := range max(len(g), len(w)) {
		x, y := "(end)", "(end)"
		if i < len(g) {
			x = g[i]
		}
		if i < len(w) {
			y = w[i]
		}
		if x != y {
			return fmt.Sprintf("line %d: %.300s\nwant %.300s", i+1, x, y)
		}
	}
	return ""
}
