package report

import (
	"cmp"
	"slices"
	"strings"

	"tickler/calendar"
)

// Scheme is how a unit's 100 points are worked out. The manual asks for a score
// out of 100 and draws the line at 80 (篇四 4); it gives no scheme, so this one
// is the bank's own: the points that a unit would lose if all of its duties
// were so. A duty takes its share: of N that count, one missed takes Missed/N.
type Scheme struct {
	Missed  int `json:"missed"`  // 0-100, for a duty that lapsed undone
	Overdue int `json:"overdue"` // 0-100, for one that is late and still open
	Late    int `json:"late"`    // 0-100, for one that was done late
	Line    int `json:"line"`    // 0-100; a score below it is too low
	Yuan    int `json:"yuan"`    // deducted from a unit's funds where it is
}

// DefaultScheme takes all for what was not done and half for what was done
// late: 80 points are one in five not done, or two in five done late. Line and
// yuan are the manual's. 篇四 4
var DefaultScheme = Scheme{Missed: 100, Overdue: 100, Late: 50, Line: 80, Yuan: 300}

// Deduction is what the duties of one rule cost a unit.
type Deduction struct {
	Rule    string  `json:"rule"`
	Name    string  `json:"name"`
	Due     int     `json:"due"`
	Late    int     `json:"late"`
	Overdue int     `json:"overdue"`
	Lapsed  int     `json:"lapsed"`
	Points  float64 `json:"points"` // one decimal; a unit's sum to 100 - Computed, to the tenth
}

// Mark is a score that somebody recorded (unit.scored).
type Mark struct {
	Score float64       `json:"score"`
	On    calendar.Date `json:"on"`
	Event string        `json:"event"`
	By    string        `json:"by,omitempty"`
}

// UnitScore is the score of one branch for a quarter.
type UnitScore struct {
	Branch     string      `json:"branch"`
	Name       string      `json:"name"`
	Tally      Tally       `json:"figures"`
	Computed   *float64    `json:"computed"`   // one decimal; null where nothing counted
	Deductions []Deduction `json:"deductions"` // the dearest first
	Recorded   *Mark       `json:"recorded"`   // null: nobody has scored the unit yet
	Score      *float64    `json:"score"`      // Recorded, or else Computed
	Below      bool        `json:"below"`      // Score is below the line
	Yuan       int         `json:"yuan"`       // to be deducted; 0 where it is not below
}

// ScoreOf works out a unit's score from its figures by rule: n is the unit's
// node, its groups the rules. It is rounded to one decimal, half up, and the
// line is held against what is shown.
func (s Scheme) ScoreOf(n *Node[Tally], recorded *Mark) UnitScore {
	u := UnitScore{Branch: n.Key, Name: n.Name, Tally: n.Sum, Deductions: []Deduction{}, Recorded: recorded}
	if all := n.Sum.Due; all > 0 {
		lost := (20*s.raw(&n.Sum) + all - 1) / (2 * all) // tenths of a point, half down: the score is half up
		u.Deductions = s.deductions(n, lost)
		v := float64(1000-lost) / 10
		u.Computed, u.Score = &v, &v
	}
	if recorded != nil {
		u.Score = &recorded.Score
	}
	if u.Score != nil && *u.Score < float64(s.Line) {
		u.Below, u.Yuan = true, s.Yuan
	}
	return u
}

// raw is what the duties take, before it is divided by how many there are.
func (s Scheme) raw(t *Tally) int { return s.Missed*t.Lapsed + s.Overdue*t.Overdue + s.Late*t.Late }

// deductions shares lost tenths of a point out over the rules, by the largest
// remainder, so that what is listed adds up to what is lost.
func (s Scheme) deductions(n *Node[Tally], lost int) []Deduction {
	type part struct{ group, tenths, rest int }
	var parts []part
	for i, g := range n.Groups {
		if raw := 10 * s.raw(&g.Sum); raw > 0 {
			parts = append(parts, part{i, raw / n.Sum.Due, raw % n.Sum.Due})
			lost -= raw / n.Sum.Due
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return b.rest - a.rest })
	for i := range parts {
		if lost > 0 {
			parts[i].tenths++
			lost--
		}
	}
	out := []Deduction{}
	for _, p := range parts {
		g := n.Groups[p.group]
		out = append(out, Deduction{Rule: g.Key, Name: g.Name, Due: g.Sum.Due, Late: g.Sum.Late, Overdue: g.Sum.Overdue, Lapsed: g.Sum.Lapsed, Points: float64(p.tenths) / 10})
	}
	slices.SortStableFunc(out, func(a, b Deduction) int {
		return cmp.Or(cmp.Compare(b.Points, a.Points), strings.Compare(a.Rule, b.Rule))
	})
	return out
}
