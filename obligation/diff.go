package obligation

import (
	"slices"
	"strconv"
	"strings"

	"tickler/calendar"
)

// DifferenceKind says what becomes of an obligation between two plans.
type DifferenceKind string

const (
	Added   DifferenceKind = "added"   // only the new plan asks for it
	Dropped DifferenceKind = "dropped" // only the old plan asks for it
	Earlier DifferenceKind = "earlier" // its due day
	Later   DifferenceKind = "later"
	Altered DifferenceKind = "altered" // due on the same day, but not alike otherwise
)

// DifferenceKinds lists every kind, in the order of lists.
var DifferenceKinds = []DifferenceKind{Added, Dropped, Earlier, Later, Altered}

// Difference is one obligation that two plans see differently.
type Difference struct {
	Kind DifferenceKind
	Old  *Obligation // as the old plan has it, cancelled or lapsed too; nil where it has none
	New  *Obligation // likewise
	// NewlyOverdue says that it is overdue in the new plan and not in the old
	// one. It comes beside any kind but Dropped.
	NewlyOverdue bool
	Fields       []Field // what else differs, where both plans ask for it
}

// Obligation gives it as the new plan has it; as the old one, where it is
// dropped.
func (d *Difference) Obligation() *Obligation {
	if d.Kind == Dropped {
		return d.Old
	}
	return d.New
}

// Field is one property that differs: owner, S001, S002.
type Field struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// asked says that a plan asks for an obligation, or has had it done.
func asked(o *Obligation) bool { return o != nil && o.State != Cancelled && o.State != Lapsed }

// Diff holds two sets of obligations of the same subjects against each other,
// as of a day. Those that are alike are left out. The order is that of old,
// then of what only new has. The result points into both.
func Diff(old, new []Obligation, today calendar.Date) []Difference {
	at := make(map[Key]*Obligation, len(new))
	for i := range new {
		at[new[i].Key] = &new[i]
	}
	var out []Difference
	for i := range old {
		o := &old[i]
		n := at[o.Key]
		delete(at, o.Key)
		if d, differs := difference(o, n, today); differs {
			out = append(out, d)
		}
	}
	for i := range new {
		if at[new[i].Key] == nil {
			continue
		}
		if d, differs := difference(nil, &new[i], today); differs {
			out = append(out, d)
		}
	}
	return out
}

func difference(o, n *Obligation, today calendar.Date) (d Difference, differs bool) {
	d = Difference{Old: o, New: n}
	was, is := asked(o), asked(n)
	d.NewlyOverdue = is && n.Overdue(today) && !(was && o.Overdue(today))
	switch {
	case !was && !is:
		return d, false
	case !was:
		d.Kind = Added
		return d, true
	case !is:
		d.Kind = Dropped
		return d, true
	}
	d.Fields = fields(o, n)
	switch {
	case n.Due < o.Due:
		d.Kind = Earlier
	case n.Due > o.Due:
		d.Kind = Later
	case len(d.Fields) > 0:
		d.Kind = Altered
	default:
		return d, false
	}
	return d, true
}

// fields lists what differs beside the due day, of what people see.
func fields(o, n *Obligation) []Field {
	var out []Field
	add := func(name, a, b string) {
		if a != b {
			out = append(out, Field{name, a, b})
		}
	}
	add("state", string(o.State), string(n.State))
	if o.Raise != n.Raise {
		add("raise", o.Raise.String(), n.Raise.String())
	}
	if o.PeriodEnd != n.PeriodEnd {
		add("period_end", o.PeriodEnd.String(), n.PeriodEnd.String())
	}
	if o.Provisional != n.Provisional {
		add("provisional", strconv.FormatBool(o.Provisional), strconv.FormatBool(n.Provisional))
	}
	add("owner", o.Owner, n.Owner)
	add("role", o.Role, n.Role)
	add("branch", o.Branch, n.Branch)
	if !slices.Equal(o.Sign, n.Sign) {
		add("sign", strings.Join(o.Sign, " "), strings.Join(n.Sign, " "))
	}
	if o.Progress != n.Progress {
		add("progress", o.Progress.text(), n.Progress.text())
	}
	return out
}

func (p Progress) text() string {
	s := strconv.Itoa(p.Have) + "/" + strconv.Itoa(p.Need)
	if p.Of > 0 {
		s += " (" + strconv.Itoa(p.Of) + ")"
	}
	return s
}
