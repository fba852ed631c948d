package scheduler

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"tickler/api"
)

// maxGone is the share of a file's branches' open loans that may be missing
// from it before the file is taken for half a file.
const maxGone = 0.02

// leaving is what the branches of a file had before it and have no longer.
type leaving struct {
	branches []string // sorted
	open     []int    // loans of each that were open, the file's own among them
	openGone []int    // of them, those that the file does not hold
	missing  []lost
}

// lost is a loan that the file does not hold.
type lost struct {
	branch         int32 // of leaving.branches
	borrower, loan string
}

// gone takes the loans of the file's branches that the file does not hold for
// gone. A file with a gap is refused: it may be half of one.
func (in *intake) gone(l *leaving, allow bool) error {
	missing := l.missing
	slices.SortStableFunc(missing, func(a, b lost) int { return cmp.Compare(a.branch, b.branch) })
	open, openGone := 0, 0
	worst, worstGone, worstOpen := "", 0, 0
	for i, b := range l.branches {
		o, g := l.open[i], l.openGone[i]
		open, openGone = open+o, openGone+g
		if g*2 >= o && o >= 10 && g > worstGone {
			worst, worstGone, worstOpen = b, g, o
		}
	}
	if !allow && (float64(openGone) > maxGone*float64(open) || worst != "") {
		var names []string
		for i, m := range missing {
			if i == 10 {
				names = append(names, "…")
				break
			}
			names = append(names, m.loan)
		}
		text := fmt.Sprintf("%s: %d of %d open loans of its branches are not in it (%s)", in.snap.Name, openGone, open, strings.Join(names, ", "))
		if worst != "" {
			text += fmt.Sprintf("; of branch %q %d of %d", worst, worstGone, worstOpen)
		}
		return api.Errorf(api.BadFile, "is it half a file? if they really left, import it with --allow-gone; nothing was taken", "%s", text)
	}
	for _, m := range missing {
		d, err := in.dossier(m.borrower)
		if err != nil {
			return err
		}
		if f := fileOf(d, m.loan); f != nil {
			f.Gone = in.on
			in.touched[d.ID] = true
		}
		in.reply.Gone = append(in.reply.Gone, m.loan)
		if err := in.settle(); err != nil {
			return err
		}
	}
	sort.Strings(in.reply.Gone)
	return nil
}
